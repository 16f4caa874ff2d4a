"""The command `csw-dbt`: dbt as this warehouse starts it, in a process of its own."""

import gc

from dbt.cli.main import cli


def main() -> None:
    """Dbt with the arguments of this process.

    What dbt reads of the project lives as long as the process: to look through all of it for
    garbage as often as Python does by itself was a tenth of a build.
    """
    gc.set_threshold(200_000, 20, 100)
    cli()
