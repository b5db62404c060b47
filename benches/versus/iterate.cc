// Iterates over all rows of a RocksDB folder as fast as RocksDB does it: read only, read-ahead, checksums verified, no block
// cache to fill. "map" as the second argument has it map its tables.

#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include <cstdio>
#include <cstring>
#include <memory>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  rocksdb::Options options;
  options.max_open_files = -1;
  options.allow_mmap_reads = argc > 2 && std::strcmp(argv[2], "map") == 0;
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, argv[1], &opened);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::ReadOptions reading;
  reading.verify_checksums = true;
  reading.fill_cache = false;
  reading.readahead_size = 2 << 20;
  unsigned long long rows = 0, bytes = 0;
  std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(reading));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    rows += 1;
    bytes += it->key().size() + it->value().size();
  }
  if (!it->status().ok()) {
    std::fprintf(stderr, "%s\n", it->status().ToString().c_str());
    return 1;
  }
  std::printf("%llu rows %llu bytes\n", rows, bytes);
  return 0;
}
