"""RocksDB 9.8 as the Python wheel rocksdict 0.3.29 holds it."""

import shutil
import time

NAME = "RocksDB 9.8 (rocksdict)"
HAS = {"ingest", "range", "drop", "blob", "entities"}

try:
    import rocksdict
    from rocksdict import BlockBasedIndexType, BlockBasedOptions, ChecksumType, DBCompactionStyle, DBCompressionType
    from rocksdict import Options, Rdict, SstFileWriter, WriteBatch

    MISSING = None
except ImportError as error:
    MISSING = f"{NAME}: {error} (pip install rocksdict==0.3.29)"


class Db:
    """An open database; `families` maps names to dicts of options."""

    def __init__(self, path, families, db_options, two_phase=False):
        self.path, self.families, self.db_options = path, dict(families), db_options
        # What is pending then stays so.
        self.idle = "'disable_auto_compactions': True" in str(families) or "disable_auto_compactions=true" in str(families)
        others = {name: options({**db_options, **text}) for name, text in families.items() if name != "default"}
        self.db = Rdict(path, options({**db_options, **families["default"]}), column_families=others or None)
        self.columns = {name: self.db.get_column_family(name) for name in others}
        self.columns["default"] = self.db
        self.snapshots = []

    def write(self, ops):
        batch = WriteBatch(raw_mode=True)
        handles = {name: self.db.get_column_family_handle(name) for name in self.families}
        for kind, family, *args in ops:
            cf = handles[family]
            if kind == "put":
                batch.put(args[0], args[1], cf)
            elif kind == "delete":
                batch.delete(args[0], cf)
            elif kind == "range":
                batch.delete_range(args[0], args[1], cf)
            elif kind == "entity":
                names, values = zip(*args[1]) if args[1] else ((), ())
                batch.set_default_column_family(cf)
                batch.put_entity(args[0], list(names), list(values))
        self.db.write(batch)

    def flush(self, family):
        self.columns[family].flush()

    def compact(self, family):
        self.columns[family].compact_range(None, None)

    def settle(self):
        for _ in range(15 if self.idle else 300):
            busy = sum(
                column.property_int_value(name) or 0
                for column in self.columns.values()
                for name in ("rocksdb.num-running-compactions", "rocksdb.compaction-pending", "rocksdb.mem-table-flush-pending")
            )
            if not busy:
                return
            time.sleep(0.01)

    def levels(self):
        """How many levels hold tables, at most, in one family."""
        return max(
            sum(bool(int(column.property_value(f"rocksdb.num-files-at-level{level}") or 0)) for level in range(7))
            for column in self.columns.values()
        )

    def hold_snapshot(self):
        self.snapshots.append(self.db.snapshot())

    def create_family(self, name, text):
        self.columns[name] = self.db.create_column_family(name, options({**self.db_options, **text}))
        self.families[name] = text

    def drop_family(self, name):
        del self.columns[name]
        self.db.drop_column_family(name)
        del self.families[name]

    def ingest(self, family, table, ops):
        writer = SstFileWriter(options=options({**self.db_options, **self.families[family]}))
        writer.open(table)
        for kind, _, *args in ops:
            if kind == "put":
                writer[args[0]] = args[1]
            else:
                del writer[args[0]]
        writer.finish()
        self.columns[family].ingest_external_file([table])

    def copy(self, to):
        self.settle()
        self.db.cancel_all_background(True)
        shutil.copytree(self.path, to)

    def close(self):
        self.snapshots.clear()
        self.columns.clear()
        self.db.close()


def scan(path, families, db_options, two_phase=False):
    """The rows of a folder that lies closed; opening changes it, so give a copy."""
    db = Db(path, families, db_options)
    rows = []
    for name, traits in families.items():
        if traits.get("entities"):
            for key, columns in db.columns[name].entities():
                columns = [(bytes(column), bytes(value)) for column, value in columns]
                plain = len(columns) == 1 and columns[0][0] == b""
                rows.append((name, key, ("value", columns[0][1]) if plain else ("columns", columns)))
        else:
            rows += [(name, key, ("value", value)) for key, value in db.columns[name].items()]
    db.close()
    return rows


def options(traits):
    """The options that a dict of names stands for."""
    made = Options(raw_mode=True)
    made.create_if_missing(True)
    made.create_missing_column_families(True)
    table = BlockBasedOptions()
    for name, value in traits.items():
        if name in ("entities", "blob"):
            continue
        if name == "checksum":
            table.set_checksum_type(getattr(ChecksumType, value)())
        elif name == "index_type":
            table.set_index_type(getattr(BlockBasedIndexType, value)())
        elif name.startswith("table_"):
            getattr(table, "set_" + name[6:])(value)
        elif name in ("compression_type", "blob_compression_type", "bottommost_compression_type"):
            getattr(made, "set_" + name)(getattr(DBCompressionType, value)())
        elif name == "compression_per_level":
            made.set_compression_per_level([getattr(DBCompressionType, each)() for each in value])
        elif name == "compaction_style":
            made.set_compaction_style(getattr(DBCompactionStyle, value)())
        elif name == "compression_options":
            made.set_compression_options(*value)
        else:
            getattr(made, "set_" + name)(value)
    made.set_block_based_table_factory(table)
    return made


def mix(random, family, tall=False):
    """Random options of a family. `family` is its dict of traits."""
    compressions = ["none", "snappy", "zlib", "bz2", "lz4", "lz4hc", "zstd"]
    made = {
        "compression_type": random.choice(compressions),
        "compaction_style": random.choice(["level", "level", "level", "universal", "fifo"]),
        "target_file_size_base": random.choice([4096, 8192, 32768]),
        "max_bytes_for_level_base": random.choice([8192, 16384, 65536]),
        "max_bytes_for_level_multiplier": float(random.choice([2, 3])),
        "level_zero_file_num_compaction_trigger": random.choice([2, 4]),
        "level_compaction_dynamic_level_bytes": random.random() < 0.5,
        "disable_auto_compactions": random.random() < 0.3,
        "checksum": random.choice(["crc32c", "xxhash", "xxhash64", "xxh3"]),
        "index_type": random.choice(["binary_search", "binary_search", "two_level_index_search"]),
        "table_format_version": random.choice([2, 4, 5, 6, 6, 6]),
        "table_block_size": random.choice([256, 512, 1024, 4096]),
        "table_block_restart_interval": random.choice([1, 2, 16]),
        "table_metadata_block_size": 256,
    }
    if made["compaction_style"] == "fifo":
        made["compaction_style"] = "universal"
    if random.random() < 0.3:
        made["compression_per_level"] = [random.choice(compressions) for _ in range(4)]
    if random.random() < 0.25:
        made["compression_options"] = (-14, 32767, 0, 2048)
    if tall:  # Many levels from few rows.
        made.update(compaction_style="level", target_file_size_base=4096, max_bytes_for_level_base=8192)
        made.update(max_bytes_for_level_multiplier=2.0, level_compaction_dynamic_level_bytes=False, disable_auto_compactions=False)
    if family.get("blob"):
        made.update(enable_blob_files=True, min_blob_size=24, blob_file_size=random.choice([2048, 1 << 20]))
        made["blob_compression_type"] = random.choice(["none", "lz4", "zstd", "snappy"])
        if random.random() < 0.5:
            made.update(enable_blob_gc=True, blob_gc_age_cutoff=0.8)
    if family.get("entities"):
        made["entities"] = True
    return made


def mix_db(random):
    """Random options of the database."""
    made = {"keep_log_file_num": 1}
    if random.random() < 0.25:
        made["recycle_log_file_num"] = 2
    if random.random() < 0.25:
        made["max_manifest_file_size"] = 2000
    if random.random() < 0.25:
        made["atomic_flush"] = True
    return made
