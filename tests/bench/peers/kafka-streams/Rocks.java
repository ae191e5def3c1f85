package bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.Options;

/**
 * CartAbandon: a bloom filter in the memtable, since most look-ups are for customers without an open cart. ShopMix: larger
 * memtables, since every event rewrites its customer.
 */
public final class Rocks implements RocksDBConfigSetter {
    @Override public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        if (Main.opt("workload", "carts").equals("carts")) {
            options.setMemtablePrefixBloomSizeRatio(0.1);
            options.setMemtableWholeKeyFiltering(true);
        } else options.setWriteBufferSize(32 << 20);
    }

    @Override public void close(String storeName, Options options) {
    }
}
