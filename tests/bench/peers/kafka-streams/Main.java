package bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Main NAME=VALUE...: a workload on Kafka Streams, exactly once.
 *
 * warm: output topics of runs before the measured one, in the same JVM. The measured window goes from the first record
 * to the instant at which the end of every partition is committed; process CPU is that of the window. bounded=false goes
 * on until killed.
 */
public final class Main {
    /** How far a partition has come; written by the thread that works on it. */
    static final class Progress {
        private final AtomicLong next = new AtomicLong(), events = new AtomicLong(), actions = new AtomicLong();
        private long count;

        void done(ProcessorContext<?, ?> context, long actionCount) {
            if (count++ == 0) first();
            events.lazySet(count);
            actions.lazySet(actionCount);
            next.lazySet(context.recordMetadata().get().offset() + 1);
        }
    }

    private static final OperatingSystemMXBean OS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final Map<String, String> OPTIONS = new HashMap<>();
    private static final Map<Integer, Progress> PROGRESS = new HashMap<>();
    private static long firstNs, firstCpuNs;

    private static synchronized void first() {
        if (firstNs != 0) return;
        firstNs = System.nanoTime();
        firstCpuNs = OS.getProcessCpuTime();
    }

    static synchronized Progress progress(int partition) {
        return PROGRESS.computeIfAbsent(partition, p -> new Progress());
    }

    private static synchronized void forget() {
        PROGRESS.clear();
        firstNs = 0;
    }

    static String opt(String name, String otherwise) {
        return OPTIONS.getOrDefault(name, otherwise);
    }

    public static void main(String[] args) throws Exception {
        for (String arg : args) {
            int at = arg.indexOf('=');
            OPTIONS.put(arg.substring(0, at), arg.substring(at + 1));
        }
        if (OPTIONS.containsKey("warm"))
            for (String out : opt("warm", "").split(",")) run(out, "WARM");
        run(opt("out", null), "RESULT");
        System.exit(0);
    }

    private static Properties properties(String group) {
        Properties c = new Properties();
        c.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        c.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, opt("brokers", null));
        c.put(StreamsConfig.STATE_DIR_CONFIG, opt("dir", "work"));
        c.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        c.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, opt("commit", "100"));
        c.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, opt("threads", "2"));
        c.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, opt("standby", "0"));
        c.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        c.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        c.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "10000");
        c.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, Rocks.class);
        c.put(StreamsConfig.topicPrefix("retention.ms"), "-1");
        c.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), "10000");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), "4194304");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), "52428800");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.RECEIVE_BUFFER_CONFIG), "1048576");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG), "20");
        c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), opt("instance", "bench"));
        c.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), "10000");
        c.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), "131072");
        c.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), opt("linger", "100"));
        c.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), "67108864");
        if (OPTIONS.containsKey("session"))
            c.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), opt("session", null));
        if (OPTIONS.containsKey("txtimeout"))
            c.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), opt("txtimeout", null));
        return c;
    }

    private static Topology topology(boolean isCarts, String out) {
        var supplier = opt("store", "memory").equals("rocksdb") ? Stores.persistentKeyValueStore("customers")
                                                                : Stores.inMemoryKeyValueStore("customers");
        StoreBuilder<KeyValueStore<byte[], byte[]>> store = Stores.keyValueStoreBuilder(supplier, Serdes.ByteArray(), Serdes.ByteArray())
                .withLoggingEnabled(Map.of("retention.ms", "-1")).withCachingDisabled();
        Topology topology = new Topology();
        topology.addSource("in", new ByteArrayDeserializer(), new ByteArrayDeserializer(), opt("topic", null));
        if (isCarts) topology.addProcessor("rules", CartProcessor::new, "in");
        else topology.addProcessor("rules", ShopProcessor::new, "in");
        topology.addStateStore(store, "rules");
        topology.addSink("out", out, new ByteArraySerializer(), new ByteArraySerializer(), "rules");
        return topology;
    }

    private static void run(String out, String tag) throws Exception {
        forget();
        String group = opt("group", "streams") + "-" + out;
        boolean isBounded = opt("bounded", "true").equals("true");
        KafkaStreams streams = new KafkaStreams(topology(opt("workload", "carts").equals("carts"), out), properties(group));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", opt("brokers", null)))) {
            long[] ends = ends(admin, opt("topic", null));
            streams.start();
            do {
                Thread.sleep(10);
                if (streams.state() == KafkaStreams.State.ERROR) System.exit(2);
            } while (!isBounded || !isProcessed(ends) || !isCommitted(admin, group, ends));
            long endNs = System.nanoTime(), endCpuNs = OS.getProcessCpuTime();
            System.out.printf("%s events=%d actions=%d wall_s=%.3f cpu_s=%.3f peak_kb=%d%n", tag, sum(true), sum(false),
                              (endNs - firstNs) / 1e9, (endCpuNs - firstCpuNs) / 1e9, peakKb());
            streams.close(Duration.ofSeconds(60));
            streams.cleanUp();
            admin.deleteTopics(List.of(group + "-customers-changelog")).all().get();
        }
    }

    private static long[] ends(Admin admin, String topic) throws Exception {
        Map<TopicPartition, OffsetSpec> newest = new HashMap<>();
        for (var p : admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions())
            newest.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest());
        long[] ends = new long[newest.size()];
        admin.listOffsets(newest).all().get().forEach((p, end) -> ends[p.partition()] = end.offset());
        return ends;
    }

    private static synchronized boolean isProcessed(long[] ends) {
        for (int p = 0; p < ends.length; p++)
            if (ends[p] > 0 && (PROGRESS.get(p) == null || PROGRESS.get(p).next.get() < ends[p])) return false;
        return true;
    }

    private static boolean isCommitted(Admin admin, String group, long[] ends) throws InterruptedException {
        long[] committed = new long[ends.length];
        try {
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((p, offset) -> {
                if (p.topic().equals(opt("topic", null)) && offset != null) committed[p.partition()] = offset.offset();
            });
        } catch (ExecutionException thereIsNoGroupYet) {
            return false;
        }
        for (int p = 0; p < ends.length; p++) if (committed[p] < ends[p]) return false;
        return true;
    }

    private static synchronized long sum(boolean ofEvents) {
        return PROGRESS.values().stream().mapToLong(p -> (ofEvents ? p.events : p.actions).get()).sum();
    }

    private static long peakKb() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("[^0-9]", ""));
        return 0;
    }
}
