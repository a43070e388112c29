"""Be the only one who does something, as long as one lives."""

import hashlib
from datetime import datetime, timedelta

from monitoring import processes
from monitoring.models import Lease


def hold(name: str, *, holder: str, ttl_s: float, now: datetime) -> bool:
    """Take or keep the lease; True while it is `holder`'s.

    It is taken over when it ran out, and at once when its holder was a process of this
    host that is dead. Nothing is written while more than half of it is left, nor while
    somebody else has it.
    """
    until = now + timedelta(seconds=ttl_s)
    lease = Lease.objects.filter(pk=name).first()
    if lease is None:
        return Lease.objects.get_or_create(
            name=name, defaults={"holder": holder, "until": until}
        )[1]
    if lease.holder == holder and now + (until - now) / 2 < lease.until <= until:
        return True
    if lease.holder != holder and not _is_free(lease, now=now, latest=until):
        return False
    unchanged = Lease.objects.filter(pk=name, holder=lease.holder, until=lease.until)
    return unchanged.update(holder=holder, until=until) == 1


def succeed(name: str, *, holder: str, now: datetime) -> bool:
    """Tell the first of several processes that share one holder's name that it is.

    Each holder has a row of its own, so that two of them do not take turns in being
    the first again; those of dead holders go when a new one comes.
    """
    digest = hashlib.blake2b(holder.encode(), digest_size=16).hexdigest()
    _, is_first = Lease.objects.get_or_create(
        name=f"{name}:{digest}", defaults={"holder": holder, "until": now}
    )
    if is_first:
        others = Lease.objects.filter(name__startswith=f"{name}:")
        for other in others.exclude(holder=holder):
            if processes.is_known_dead(other.holder):
                other.delete()
    return is_first


def release(name: str, *, holder: str) -> None:
    """Let the next one have it now."""
    Lease.objects.filter(pk=name, holder=holder).delete()


def _is_free(lease: Lease, *, now: datetime, latest: datetime) -> bool:
    """Tell whether nobody has it; an end too far ahead is from a clock set back."""
    has_run_out = not now <= lease.until <= latest
    return has_run_out or processes.is_known_dead(lease.holder)
