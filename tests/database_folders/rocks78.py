"""RocksDB 7.8 as Debian packs it (librocksdb7.8), through its C functions."""

import ctypes
import shutil
import time
from ctypes import byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint64, c_void_p

NAME = "RocksDB 7.8"
HAS = {"merge", "reverse", "single", "ingest", "range", "drop", "wal_compression", "blob", "two_phase"}

try:
    lib = ctypes.CDLL("librocksdb.so.7.8")
    MISSING = None
except OSError as error:
    lib = None
    MISSING = f"{NAME}: {error} (Debian: librocksdb7.8)"


def call(name, *args, result=None, fails=True):
    """Calls a C function: bytes go as pointer and length, text as a C string, numbers as int; an error is raised."""
    function = getattr(lib, "rocksdb_" + name)
    function.restype = result
    given = []
    for arg in args:
        if isinstance(arg, (bytes, bytearray)):
            given += [c_char_p(bytes(arg)), c_size_t(len(arg))]
        elif isinstance(arg, str):
            given.append(c_char_p(arg.encode()))
        elif isinstance(arg, int) and not isinstance(arg, bool) and arg > 0xFFFFFFFF:
            given.append(c_void_p(arg))
        elif isinstance(arg, int):
            given.append(c_int(arg))
        else:
            given.append(arg)
    if not fails:
        return function(*given)
    error = c_char_p()
    value = function(*given, byref(error))
    if error.value:
        raise RuntimeError(f"{name}: {error.value.decode(errors='replace')}")
    return value


def pointer(name, *args, fails=False):
    return c_void_p(call(name, *args, result=c_void_p, fails=fails))


def options(text):
    base, made = pointer("options_create"), pointer("options_create")
    call("get_options_from_string", base, text, made)
    return made


class Db:
    """An open database; `families` maps names to option texts, `db_options` stand before each."""

    def __init__(self, path, families, db_options, two_phase=False):
        self.path, self.families, self.db_options = path, dict(families), db_options
        # What is pending then stays so.
        self.idle = "'disable_auto_compactions': True" in str(families) or "disable_auto_compactions=true" in str(families)
        self.two_phase = two_phase
        self.kind = "transactiondb_" if two_phase else ""
        names = list(families)
        count = len(names)
        handles = (c_void_p * count)()
        given = [
            options(db_options + families["default"]),
            *([pointer("transactiondb_options_create")] if two_phase else []),
            path,
            count,
            (c_char_p * count)(*(name.encode() for name in names)),
            (c_void_p * count)(*(options(db_options + families[name]).value for name in names)),
            handles,
        ]
        self.db = pointer(self.kind + "open_column_families", *given, fails=True)
        self.handles = {name: c_void_p(handle) for name, handle in zip(names, handles)}
        self.write_options = pointer("writeoptions_create")
        self.transactions = []

    def batch(self, ops):
        batch = pointer("writebatch_create")
        for kind, family, *args in ops:
            cf = self.handles[family]
            if kind == "log_data":
                call("writebatch_put_log_data", batch, *args, fails=False)
            else:
                name = {"single": "singledelete", "range": "delete_range"}.get(kind, kind)
                call(f"writebatch_{name}_cf", batch, cf, *args, fails=False)
        return batch

    def write(self, ops):
        batch = self.batch(ops)
        call(self.kind + "write", self.db, self.write_options, batch)
        call("writebatch_destroy", batch, fails=False)

    def transaction(self, name, ops, end):
        """Writes in two phases: prepared, then `end` of commit, rollback or nothing at all."""
        made = pointer("transaction_begin", self.db, self.write_options, pointer("transaction_options_create"), None)
        self.transactions.append(made)
        call("transaction_set_name", made, name)
        for kind, family, *args in ops:
            call(f"transaction_{kind}_cf", made, self.handles[family], *args)
        call("transaction_prepare", made)
        if end != "nothing":
            call("transaction_" + end, made)

    def flush(self, family):
        call(self.kind + "flush_cf", self.db, pointer("flushoptions_create"), self.handles[family])

    def compact(self, family):
        if not self.two_phase:
            call("compact_range_cf", self.db, self.handles[family], None, c_size_t(0), None, c_size_t(0), fails=False)

    def settle(self):
        """Waits for the compactions in the background."""
        for _ in range(15 if self.idle else 300):
            busy = 0
            for name in ("rocksdb.num-running-compactions", "rocksdb.compaction-pending", "rocksdb.mem-table-flush-pending"):
                value = c_uint64()
                if self.two_phase:
                    call("transactiondb_property_int", self.db, name, byref(value), fails=False)
                    busy += value.value
                else:
                    for handle in self.handles.values():
                        call("property_int_cf", self.db, handle, name, byref(value), fails=False)
                        busy += value.value
            if not busy:
                return
            time.sleep(0.01)

    def levels(self):
        """How many levels hold tables, at most, in one family."""
        if self.two_phase:
            return 0
        most = 0
        for handle in self.handles.values():
            held = 0
            for level in range(7):
                text = call("property_value_cf", self.db, handle, f"rocksdb.num-files-at-level{level}", result=c_char_p, fails=False)
                held += bool(text and int(text))
            most = max(most, held)
        return most

    def hold_snapshot(self):
        call(self.kind + "create_snapshot", self.db, result=c_void_p, fails=False)

    def create_family(self, name, text):
        made = options(self.db_options + text)
        self.handles[name] = pointer("create_column_family", self.db, made, name, fails=True)
        self.families[name] = text

    def drop_family(self, name):
        call("drop_column_family", self.db, self.handles[name])
        del self.families[name]

    def ingest(self, family, table, ops):
        """Writes a table of its own and takes it in. `ops` ascend by key: puts and deletes."""
        made = options(self.db_options + self.families[family])
        writer = pointer("sstfilewriter_create", pointer("envoptions_create"), made)
        call("sstfilewriter_open", writer, table)
        for kind, _, *args in ops:
            call("sstfilewriter_" + kind, writer, *args)
        call("sstfilewriter_finish", writer)
        call("sstfilewriter_destroy", writer, fails=False)
        how = pointer("ingestexternalfileoptions_create")
        call("ingest_external_file_cf", self.db, self.handles[family], (c_char_p * 1)(table.encode()), c_size_t(1), how)

    def copy(self, to):
        """Copies the folder as it lies, the database still open."""
        self.settle()
        if not self.two_phase:
            call("cancel_all_background_work", self.db, c_ubyte(1), fails=False)
        shutil.copytree(self.path, to)

    def rows(self):
        """Every row of every family: family, key, value."""
        reading = pointer("readoptions_create")
        for name in self.families:
            it = pointer(self.kind + "create_iterator_cf", self.db, reading, self.handles[name])
            call("iter_seek_to_first", it, fails=False)
            while call("iter_valid", it, result=c_ubyte, fails=False):
                pair = []
                for part in ("key", "value"):
                    length = c_size_t()
                    at = call("iter_" + part, it, byref(length), result=c_void_p, fails=False)
                    pair.append(ctypes.string_at(at, length.value))
                yield name, pair[0], pair[1]
                call("iter_next", it, fails=False)
            call("iter_get_error", it)
            call("iter_destroy", it, fails=False)

    def close(self):
        for handle in self.handles.values():
            call("column_family_handle_destroy", handle, fails=False)
        call(self.kind + "close", self.db, fails=False)


def scan(path, families, db_options, two_phase=False):
    """The rows of a folder that lies closed; opening changes it, so give a copy."""
    db = Db(path, families, db_options, two_phase)
    rows = [(family, key, ("value", value)) for family, key, value in db.rows()]
    db.close()
    return rows


def mix(random, family, tall=False):
    """Random options of a family, as RocksDB's own option text. `family` is its dict of traits."""
    compressions = ["kNoCompression", "kSnappyCompression", "kZlibCompression", "kBZip2Compression", "kLZ4Compression", "kLZ4HCCompression", "kZSTD"]
    compression = random.choice(compressions)
    style = random.choice(["Level", "Level", "Level", "Universal", "FIFO"])
    table = {
        "format_version": random.choice([2, 3, 4, 5, 5]),
        "checksum": random.choice(["kCRC32c", "kxxHash", "kxxHash64", "kXXH3"]),
        "block_size": random.choice([256, 512, 1024, 4096]),
        "block_restart_interval": random.choice([1, 2, 16]),
        "index_type": random.choice(["kBinarySearch", "kBinarySearch", "kTwoLevelIndexSearch", "kBinarySearchWithFirstKey"]),
        "index_block_restart_interval": random.choice([1, 8]),
        "metadata_block_size": 256,
        "data_block_index_type": random.choice(["kDataBlockBinarySearch", "kDataBlockBinaryAndHash"]),
        "enable_index_compression": random.choice(["true", "false"]),
        "filter_policy": random.choice(["bloomfilter:10:false", "nullptr"]),
    }
    text = {
        "compaction_style": f"kCompactionStyle{style}",
        "compression": compression,
        "target_file_size_base": random.choice([4096, 8192, 32768]),
        "max_bytes_for_level_base": random.choice([8192, 16384, 65536]),
        "max_bytes_for_level_multiplier": random.choice([2, 3]),
        "level0_file_num_compaction_trigger": random.choice([2, 4]),
        "level_compaction_dynamic_level_bytes": random.choice(["true", "false"]),
        "disable_auto_compactions": random.choice(["true", "false", "false"]),
        "block_based_table_factory": "{" + ";".join(f"{k}={v}" for k, v in table.items()) + "}",
    }
    if random.random() < 0.3:
        text["compression_per_level"] = ":".join(random.choice(compressions) for _ in range(4))
    if random.random() < 0.2:
        text["bottommost_compression"] = random.choice(compressions)
    if random.random() < 0.25:
        trained = random.choice(["", ";zstd_max_train_bytes=16384"])
        text["compression_opts"] = "{max_dict_bytes=2048" + trained + "}"
    if tall:  # Many levels from few rows.
        text.update(compaction_style="kCompactionStyleLevel", target_file_size_base=4096, max_bytes_for_level_base=8192)
        text.update(max_bytes_for_level_multiplier=2, level_compaction_dynamic_level_bytes="false", disable_auto_compactions="false")
    if family.get("blob"):
        text.update(enable_blob_files="true", min_blob_size=24, blob_file_size=random.choice([2048, 1 << 20]))
        text["blob_compression_type"] = random.choice(["kNoCompression", "kLZ4Compression", "kZSTD", "kSnappyCompression"])
        if random.random() < 0.5:
            text.update(enable_blob_garbage_collection="true", blob_garbage_collection_age_cutoff="0.8")
    if family.get("reverse"):
        text["comparator"] = "rocksdb.ReverseBytewiseComparator"
    if family.get("merge") == "add":
        text["merge_operator"] = "uint64add"
    elif family.get("merge"):
        text["merge_operator"] = "{id=StringAppendOperator;delimiter=" + family["merge"] + "}"
    return "".join(f"{k}={v};" for k, v in text.items())


def mix_db(random):
    """Random options of the database."""
    text = "create_if_missing=true;create_missing_column_families=true;avoid_flush_during_shutdown=true;keep_log_file_num=1;"
    for option in (
        "wal_compression=kZSTD",
        "recycle_log_file_num=2",
        "max_manifest_file_size=2000",
        "write_dbid_to_manifest=true",
        "track_and_verify_wals_in_manifest=true",
        "atomic_flush=true",
    ):
        if random.random() < 0.25:
            text += option + ";"
    return text
