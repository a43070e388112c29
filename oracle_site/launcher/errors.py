"""What can keep the site from starting, each with the sentence to print."""

from pathlib import Path


class LaunchError(Exception):
    """Base of every error of the launcher; its text is written for a person."""


class PortTaken(LaunchError):
    """Another process listens on the port, or the port is not ours to take."""


class FolderTaken(LaunchError):
    """Another run uses the same data folder."""


class NotPrepared(LaunchError):
    """The settings, the folder or the database do not allow a start."""


class NotReady(LaunchError):
    """A process runs but did not answer in time."""


class ChildEnded(LaunchError):
    """A process ended that should have stayed."""

    def __init__(self, name: str, return_code: int, log: Path) -> None:
        how = (
            f"was killed by signal {-return_code}"
            if return_code < 0
            else f"ended with exit code {return_code}"
        )
        super().__init__(f"{name} {how}. What it said is in {log}.")
        self.name = name
