"""How much an archive may unpack to: bombs are refused by their ratio, at every level and over all of them."""

from kagglekit.work.unpack.refusals import Unusable

RATIO, LARGE = 200, 1024**3


class Budget:
    """Bytes written of what an archive of `packed` bytes may unpack to; what is spent counts for the archives around it too."""

    def __init__(self, packed: int, allow_large: bool, around: "Budget | None" = None) -> None:
        self.packed, self.allow_large, self.around, self.spent = packed, allow_large, around, 0
        self.most = max(LARGE, RATIO * packed)

    def check(self, name: str, size: int, packed: int) -> None:
        """Raise Unusable where a member says itself that it blows up."""
        if not self.allow_large and size > LARGE and size > RATIO * max(packed, 1):
            raise _too_large(f"its {name!r} unpacks to {size / 1e9:.1f} GB")

    def check_total(self, size: int) -> None:
        """Raise Unusable where the members say themselves that they are too much together."""
        if not self.allow_large and self.spent + size > self.most:
            raise _too_large(f"it unpacks to {size / 1e9:.1f} GB")

    def spend(self, size: int) -> None:
        """Count bytes; raises Unusable over the limit of this archive or of one around it."""
        self.count(size)
        level: Budget | None = self
        while level is not None and not self.allow_large:
            if level.spent > level.most:
                raise _too_large(f"it unpacks to more than {level.most / 1e9:.1f} GB")
            level = level.around

    def count(self, size: int) -> None:
        """Count bytes that are there already, or less of them."""
        self.spent += size
        if self.around is not None:
            self.around.count(size)


def _too_large(what: str) -> Unusable:
    return Unusable(f"blows up: {what}, over {RATIO} times its size",
                    "Nothing of it was kept but the archive; if the host means it, run the command again with --allow-large")
