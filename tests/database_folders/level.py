"""LevelDB through plyvel (1.5.1 holds LevelDB 1.22, Debian's python3-plyvel 1.23)."""

import shutil

NAME = "LevelDB (plyvel)"
HAS = set()

try:
    import plyvel

    MISSING = None
except ImportError as error:
    MISSING = f"{NAME}: {error} (pip install plyvel==1.5.1)"


class Db:
    """An open database; it has one family, `default`."""

    def __init__(self, path, families, db_options, two_phase=False):
        self.path, self.families = path, dict(families)
        self.db = plyvel.DB(path, create_if_missing=True, **families["default"])
        self.snapshots = []

    def write(self, ops):
        with self.db.write_batch() as batch:
            for kind, _, *args in ops:
                getattr(batch, kind)(*args)

    def flush(self, family):
        pass

    def compact(self, family):
        self.db.compact_range()

    def settle(self):
        pass

    def levels(self):
        return sum(bool(int(self.db.get_property(b"leveldb.num-files-at-level%d" % level))) for level in range(7))

    def hold_snapshot(self):
        self.snapshots.append(self.db.snapshot())

    def copy(self, to):
        # A compaction may be under way; closing waits for it and writes nothing that was in the log.
        for snapshot in self.snapshots:
            snapshot.close()
        self.db.close()
        shutil.copytree(self.path, to)

    def close(self):
        self.db.close()


def scan(path, families, db_options, two_phase=False):
    """The rows of a folder that lies closed; opening changes it, so give a copy."""
    db = plyvel.DB(path)
    rows = [("default", key, ("value", value)) for key, value in db]
    db.close()
    return rows


def mix(random, family, tall=False):
    """Random options."""
    return {
        "write_buffer_size": 65536,
        "max_file_size": 1 << 20,
        "block_size": random.choice([256, 1024, 4096]),
        "block_restart_interval": random.choice([1, 3, 16]),
        "compression": random.choice(["snappy", None]),
        "bloom_filter_bits": random.choice([0, 10]),
    }


def mix_db(random):
    """LevelDB has none of its own."""
    return {}
