"""Unpacking what was fetched: any archive, and those inside it, becomes data/raw with a manifest."""

from kagglekit.work.unpack.manifest import clear, manifest, write_manifest
from kagglekit.work.unpack.whole import unpack

__all__ = ["clear", "manifest", "unpack", "write_manifest"]
