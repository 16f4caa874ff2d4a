"""Words of the sample: invented company names, people, places, the product and its errors.

Everything is made up: no company, no product and no person of this list exists on purpose, and
every address ends in the reserved `.example`.
"""

import numpy as np


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


FIRST_HALVES = _split(
    "Quill Tarn Ostra Brindle Alder Hollow Maren Pell Sable Fenn Corv Dunmar Eld Garrow Harth "
    "Isen Jorv Kestr Lorim Norra Oaken Thorn Umber Veld Yarl Zeph Bram Cald Drov Ruven"
)
SECOND_HALVES = _split("mere holt vane croft way mark wyn stead grove feld bourne haven")

SUFFIXES = {
    "Logistics": ("Freight", "Cargo", "Haulage"),
    "Manufacturing": ("Works", "Tooling", "Castings"),
    "Retail": ("Outfitters", "Stores", "Provisions"),
    "Financial services": ("Ledger", "Mutual", "Clearing"),
    "Healthcare": ("Clinics", "Diagnostics", "Care"),
    "Education": ("Academy", "Learning", "Press"),
    "Energy": ("Grid", "Solar", "Turbines"),
    "Professional services": ("Partners", "Advisory", "Surveyors"),
}
INDUSTRIES = tuple(SUFFIXES)

# region: (its share, first working hour in UTC, places). Hours lie inside one UTC day on purpose:
# what people do on a day is then in that day's delivery.
REGIONS = {
    "EMEA": (
        0.45,
        7.0,
        (("DE", "Europe/Berlin"), ("GB", "Europe/London"), ("SE", "Europe/Stockholm")),
    ),
    "Americas": (
        0.38,
        13.0,
        (("US", "America/New_York"), ("US", "America/Chicago"), ("CA", "America/Toronto")),
    ),
    "APAC": (
        0.17,
        0.3,
        (("SG", "Asia/Singapore"), ("JP", "Asia/Tokyo"), ("AU", "Australia/Perth")),
    ),
}

# size band: (share, tier, employees from, to, typical product users)
SIZE_BANDS = {
    "1-50": (0.34, "Starter", 8, 50, 6),
    "51-200": (0.32, "Growth", 51, 200, 13),
    "201-1000": (0.24, "Growth", 201, 1000, 25),
    "1001+": (0.10, "Enterprise", 1001, 9000, 46),
}
# Where invoices are not in dollars, and what tax is on them, in per cent.
CURRENCIES = {"DE": "EUR", "GB": "GBP"}
TAX_PERCENT = {"DE": 19, "GB": 20, "CA": 5}

PRODUCT_LINES = ("Operations", "Projects", "Field teams")

# plan: price of a seat for a month; a year costs ten months
PLANS = {"Starter": 29, "Growth": 59, "Enterprise": 99}

# module: (package, weight, features). People use the first features most.
MODULES = {
    "Planning": ("core", 0.30, ("boards", "timelines", "capacity", "templates")),
    "Documents": ("core", 0.20, ("editor", "comments", "approvals")),
    "Inbox": ("core", 0.18, ("threads", "assignments", "macros")),
    "Reporting": ("insights", 0.16, ("dashboards", "exports", "schedules", "sharing")),
    "Automation": ("automate", 0.10, ("rules", "imports", "webhooks", "api")),
    "Admin": ("core", 0.06, ("roles", "seats", "audit_log")),
}

ERRORS = (
    ("timeout-export", "The export took longer than 30 seconds"),
    ("save-conflict", "Somebody else saved this page first"),
    ("null-assignee", "Cannot read the name of an empty assignee"),
    ("import-encoding", "The file is not UTF-8"),
    ("webhook-refused", "The receiving system refused the connection"),
    ("quota-reached", "The automation quota of this month is used up"),
)
DEVICES = ("Chrome on Windows", "Safari on macOS", "Firefox on Linux", "Mobile app")

TICKET_TYPES = ("question", "problem", "incident", "task")
TICKET_SUBJECTS = {
    "low": ("How do I rename a board?", "Wording on the sign-in page", "Where is the audit log?"),
    "normal": ("Export has wrong columns", "Comments arrive late", "Import skips some rows"),
    "high": ("Dashboards do not load", "Approvals are stuck", "Automation runs twice"),
    "urgent": ("Nobody can sign in", "Data is missing after the import", "Everything is very slow"),
}

GIVEN_NAMES = _split(
    "Mila Jonas Priya Tomas Aiko Lena Kofi Marta Emil Zara Hugo Nadia Oskar Leila Ravi Ines Noah "
    "Yuki Clara Amir Elsa Diego Freya Tariq Anouk Bruno Selma Kenji Olga Idris Maeve Stefan"
)
FAMILY_NAMES = _split(
    "Novak Lindqvist Okafor Marchetti Haddad Brandt Silva Tanaka Petrov Moreau Keller Osei Duarte "
    "Virtanen Kapoor Bellini Sorensen Aydin Kowalski Reyes Hartmann Nakamura Costa Weiss Yilmaz"
)

DEPARTMENTS = ("Operations", "Finance", "IT", "Customer care", "Planning")
TOUCH_SUBJECTS = {
    "email": ("Rollout of the next module", "Question on seats", "Summary of our call"),
    "call": ("Catching up", "Open questions on the import"),
    "meeting": ("Working session on templates", "Roadmap and your wishes"),
    "note": ("Reorganisation on their side", "New sponsor from next quarter"),
    "check_in": ("Monthly check-in", "How is the rollout going?"),
    "training": ("Training for new users", "Training for administrators"),
    "qbr": ("Quarterly business review",),
}
TASK_TYPES = ("follow_up", "check_in", "onboarding", "renewal", "training")
GOALS = (
    "Plan all projects in one place", "Halve the time to approve a document",
    "Replace the weekly status mail", "Every field team on the mobile app",
)  # fmt: skip
NPS_COMMENTS = ("It saves us a meeting a week.", "Good, but exports are slow.", "Too many errors.")
DEAL_STAGES = ("discovery", "proposal", "negotiation")

# person of ours: (id, name, who they report to)
TEAM = (
    ("tm-01", "Astrid Velander", None),
    ("tm-02", "Rui Castelo", "tm-01"),
    ("tm-03", "Hanne Dorow", "tm-01"),
    ("tm-11", "Ilse Marbach", "tm-02"),
    ("tm-12", "Kwame Adjei", "tm-02"),
    ("tm-13", "Sofia Lazar", "tm-02"),
    ("tm-14", "Pedro Anselmo", "tm-03"),
    ("tm-15", "Mei Tanabe", "tm-03"),
    ("tm-21", "Jakob Steen", "tm-03"),
    ("tm-22", "Amara Nwosu", "tm-03"),
)
CSM_IDS = ("tm-11", "tm-12", "tm-13", "tm-14", "tm-15")
EXECUTIVE_IDS = ("tm-21", "tm-22")


def company_stem(seed: int, number: int) -> str:
    """The invented first word of company `number`: each comes once before any comes twice."""
    total = len(FIRST_HALVES) * len(SECOND_HALVES)
    order = np.random.default_rng([seed, 90]).permutation(total)
    first, second = divmod(int(order[number % total]), len(SECOND_HALVES))
    again = number // total
    return FIRST_HALVES[first] + SECOND_HALVES[second] + (f" {again + 1}" if again else "")


def person(rng: np.random.Generator) -> str:
    """Somebody's name."""
    given = GIVEN_NAMES[int(rng.integers(len(GIVEN_NAMES)))]
    return f"{given} {FAMILY_NAMES[int(rng.integers(len(FAMILY_NAMES)))]}"
