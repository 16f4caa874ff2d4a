"""`kill -9` between the statements of a load, around its commits and the writing of its log.

Every statement is a point with `killed_loads.py FOLDER 1`, which takes minutes; here every eighth
is, and all that begin, end or follow a transaction.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.integration.main_job import ROOT, clean_environment

DRIVER = Path(__file__).with_name("killed_loads.py")


def test_a_load_that_is_killed_anywhere_ends_where_one_that_was_not_ends(tmp_path: Path) -> None:
    """Rows that a kill loses, or that the rerun loads twice, wherever the kill comes.

    A changed file, a duplicate, a rejected row, a full extract and a refused file are under way;
    tables, manifest, quarantine and log are compared.
    """
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(DRIVER), str(tmp_path), "8"],
        cwd=ROOT,
        env=clean_environment({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said["points"]) > 30
    assert (said["survived"], said["different"]) == ([], [])
