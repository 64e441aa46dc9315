"""Interrupts of a running job. None is an `Exception`, so that no handler on the way swallows it."""


class Interrupt(BaseException):
    """Ends the engine's work at its next step."""


class NotOurs(Interrupt):
    """The job was deleted or canceled, or runs elsewhere by now."""


class OutOfTime(Interrupt):
    """The job ran longer than a job may."""


class ShuttingDown(Interrupt):
    """The worker has to end before the job does: another one takes it."""
