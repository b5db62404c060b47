"""Makes a RocksDB folder of several levels from the rows of a flat table, by the wheel rocksdict (RocksDB 9.8).

    folder.py FLAT.sst ROWS OUT

The rows are written in a scattered order, one in ten twice, and one key in fifty more is written and deleted again; so every level
overlaps the ones below it, and the newest versions together are the rows of the flat table. OUT.sst gets the same rows in one table, with the
same options as the tables of the folder.
"""

import mmap
import os
import shutil
import sys

from rocksdict import BlockBasedOptions, ChecksumType, DBCompressionType, Options, Rdict, ReadOptions, SstFileWriter, WriteBatch, WriteOptions

KEY, ROW = 16, 116


def options(total):
    """Level 1 holds a 35th of all bytes, each next level four times as much: levels 1 to 4 are needed."""
    made = Options(raw_mode=True)
    made.create_if_missing(True)
    made.set_compression_type(DBCompressionType.none())
    base = total // 35
    made.set_max_bytes_for_level_base(base)
    made.set_max_bytes_for_level_multiplier(4.0)
    made.set_level_compaction_dynamic_level_bytes(False)
    made.set_target_file_size_base(base // 2)
    made.set_write_buffer_size(base // 2)
    made.set_level_zero_file_num_compaction_trigger(4)
    made.set_max_background_jobs(2)
    made.set_keep_log_file_num(1)
    table = BlockBasedOptions()
    # RocksDB 7.8 can read these: it is the peer.
    table.set_format_version(5)
    table.set_checksum_type(ChecksumType.xxh3())
    table.disable_cache()
    made.set_block_based_table_factory(table)
    return made


def rows_file(flat, out):
    """All rows of the flat table, one behind the other."""
    scratch = Rdict(out + ".flat", options(1 << 30))
    copy = out + ".copy.sst"
    shutil.copyfile(flat, copy)
    scratch.ingest_external_file([copy])
    path = out + ".rows"
    with open(path, "wb") as file:
        for key, value in scratch.items():
            assert len(key) == KEY and len(key) + len(value) == ROW
            file.write(key)
            file.write(value)
    scratch.close()
    shutil.rmtree(out + ".flat")
    os.remove(copy)
    return path


def fill(db, rows, count):
    unlogged = WriteOptions()
    unlogged.disable_wal = True
    # A step that shares no factor with the count visits every row once.
    step = 2654435761
    while count % step == 0:
        step += 2
    assert _coprime(step, count)
    batch = WriteBatch(raw_mode=True)
    for n in range(count):
        at = n * step % count * ROW
        key, value = rows[at : at + KEY], rows[at + KEY : at + ROW]
        if n % 10 == 0:
            batch.put(key, value[::-1])
        if n % 50 == 0:
            batch.put(key + b"x", value)
        batch.put(key, value) if n % 10 else None
        if n % 5000 == 4999:
            db.write(batch, unlogged)
            batch = WriteBatch(raw_mode=True)
    db.write(batch, unlogged)
    # The second versions, scattered over all levels' keys, and the deletions.
    batch = WriteBatch(raw_mode=True)
    for n in range(0, count, 10):
        at = n * step % count * ROW
        key, value = rows[at : at + KEY], rows[at + KEY : at + ROW]
        batch.put(key, value)
        if n % 50 == 0:
            batch.delete(key + b"x")
        if n % 5000 == 0:
            db.write(batch, unlogged)
            batch = WriteBatch(raw_mode=True)
    db.write(batch, unlogged)


def one_table(rows, count, path):
    writer = SstFileWriter(options(count * ROW))
    writer.open(path)
    for at in range(0, count * ROW, ROW):
        writer[rows[at : at + KEY]] = rows[at + KEY : at + ROW]
    writer.finish()


def _coprime(a, b):
    while b:
        a, b = b, a % b
    return a == 1


def main():
    flat, count, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    shutil.rmtree(out, ignore_errors=True)
    path = rows_file(flat, out)
    db = Rdict(out, options(count * ROW))
    with open(path, "rb") as file:
        rows = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert len(rows) == count * ROW
        fill(db, rows, count)
        one_table(rows, count, out + ".sst")
    os.remove(path)
    db.flush()
    # What is pending is done when the folder is closed and opened again, and nothing more is to do.
    import time

    names = ("rocksdb.num-running-compactions", "rocksdb.compaction-pending", "rocksdb.num-running-flushes")
    quiet = 0
    while quiet < 10:
        quiet = 0 if any(db.property_int_value(name) for name in names) else quiet + 1
        time.sleep(0.1)
    levels = [int(db.property_value(f"rocksdb.num-files-at-level{level}")) for level in range(7)]
    db.close()
    # Its notes are none of the data, and change with every opening.
    for name in os.listdir(out):
        if name.startswith("LOG"):
            os.remove(os.path.join(out, name))
    assert sum(map(bool, levels)) >= 4, levels
    with open(out + ".levels", "w") as file:
        file.write(" ".join(map(str, levels)))
    print("tables on each level:", *levels)


main()
