package bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Main NAME=VALUE...: a workload on Flink, exactly once, on a cluster within this process.
 *
 * warm: output topics of runs before the measured one, in the same JVM. The measured window goes from the first record
 * to the instant at which all output is committed; process CPU is that of the window. bounded=false goes on until killed.
 */
public final class Main {
    private static final OperatingSystemMXBean OS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final AtomicLong ENDED = new AtomicLong(), EVENTS = new AtomicLong(), ACTIONS = new AtomicLong();
    private static final Map<String, String> OPTIONS = new HashMap<>();
    private static long firstNs, firstCpuNs;

    /** The first record of a run has been read. */
    static synchronized void first() {
        if (firstNs != 0) return;
        firstNs = System.nanoTime();
        firstCpuNs = OS.getProcessCpuTime();
    }

    /** An operator has worked through its whole input. */
    static void ended(long events, long actions) {
        EVENTS.addAndGet(events);
        ACTIONS.addAndGet(actions);
        ENDED.incrementAndGet();
    }

    private static String opt(String name, String otherwise) {
        return OPTIONS.getOrDefault(name, otherwise);
    }

    public static void main(String[] args) throws Exception {
        for (String arg : args) {
            int at = arg.indexOf('=');
            OPTIONS.put(arg.substring(0, at), arg.substring(at + 1));
        }
        int parallelism = Integer.parseInt(opt("threads", "2"));
        Configuration configuration = configuration(opt("dir", "work"));
        try (MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder().setConfiguration(configuration)
                .setNumTaskManagers(1).setNumSlotsPerTaskManager(parallelism).build())) {
            cluster.start();
            if (OPTIONS.containsKey("warm"))
                for (String out : opt("warm", "").split(",")) run(cluster, configuration, parallelism, out, "WARM");
            run(cluster, configuration, parallelism, opt("out", null), "RESULT");
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static Configuration configuration(String dir) {
        Configuration c = new Configuration();
        c.setString("rest.port", "0");
        c.setString("rest.bind-port", "0");
        c.setString("taskmanager.memory.network.min", "256m");
        c.setString("taskmanager.memory.network.max", "256m");
        c.setString("taskmanager.memory.managed.size", "512m");
        c.setString("io.tmp.dirs", dir + "/tmp");
        c.setString("pipeline.object-reuse", "true");
        c.setString("pipeline.generic-types", "false");
        c.setString("execution.buffer-timeout.interval", "100 ms");
        c.setString("execution.checkpointing.interval", opt("checkpoint", "10000") + " ms");
        c.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
        c.setString("execution.checkpointing.storage", "filesystem");
        c.setString("execution.checkpointing.dir", "file://" + new java.io.File(dir).getAbsolutePath() + "/ckpt");
        if (opt("store", "heap").equals("rocksdb")) {
            c.setString("state.backend.type", "rocksdb");
            c.setString("execution.checkpointing.incremental", "true");
            c.setString("state.backend.rocksdb.localdir", dir + "/rocks");
            c.setString("state.backend.rocksdb.timer-service.factory", "HEAP");
        } else c.setString("state.backend.type", "hashmap");
        for (String name : OPTIONS.keySet()) if (name.startsWith("conf.")) c.setString(name.substring(5), OPTIONS.get(name));
        return c;
    }

    private static <E, A> void job(StreamExecutionEnvironment env, String out, KafkaRecordDeserializationSchema<E> parse,
                                   KeySelector<E, String> key, TypeInformation<A> type, OneInputStreamOperator<E, A> rules,
                                   KafkaRecordSerializationSchema<A> print) {
        KafkaSourceBuilder<E> source = KafkaSource.<E>builder().setBootstrapServers(opt("brokers", null)).setTopics(opt("topic", null))
                .setGroupId("flink-" + out).setStartingOffsets(OffsetsInitializer.earliest()).setDeserializer(parse)
                .setProperty("max.poll.records", "5000")
                .setProperty("max.partition.fetch.bytes", "2097152")
                .setProperty("fetch.max.bytes", "33554432")
                .setProperty("receive.buffer.bytes", "1048576")
                .setProperty("check.crcs", "false");
        if (opt("bounded", "true").equals("true")) source.setBounded(OffsetsInitializer.latest());
        KafkaSink<A> sink = KafkaSink.<A>builder().setBootstrapServers(opt("brokers", null)).setRecordSerializer(print)
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix("tx-" + out)
                .setProperty("transaction.timeout.ms", "600000")
                .setProperty("linger.ms", "20")
                .setProperty("batch.size", "262144")
                .build();
        env.fromSource(source.build(), WatermarkStrategy.forBoundedOutOfOrderness(Duration.ofSeconds(30)), "events")
                .keyBy(key, Types.STRING).transform("rules", type, rules).sinkTo(sink);
    }

    private static void run(MiniCluster cluster, Configuration configuration, int parallelism, String out, String tag) throws Exception {
        firstNs = 0;
        ENDED.set(0);
        EVENTS.set(0);
        ACTIONS.set(0);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(parallelism);
        env.setMaxParallelism(128);
        if (opt("workload", "carts").equals("carts"))
            job(env, out, new CartParse(), e -> e.customer, new TI<>(Cart.class, Cart.Ser.INSTANCE), new CartOp(new CartOp.Fn()), new CartOut(out));
        else
            job(env, out, new ShopParse(), e -> e.customer, new TI<>(Action.class, Sers.Actions.INSTANCE),
                new ShopOp(new ShopOp.Fn(opt("store", "heap").equals("rocksdb") ? Integer.parseInt(opt("objects", "5000")) : 0)), new ShopOut(out));
        JobGraph graph = env.getStreamGraph().getJobGraph();
        Admin admin = Admin.create(Map.of("bootstrap.servers", opt("brokers", null)));
        cluster.submitJob(graph).get();
        CompletableFuture<JobResult> done = cluster.requestJobResult(graph.getJobID());
        // Flink commits the last transaction with the next periodic checkpoint, up to an interval after the input has ended.
        // That checkpoint is asked for at once, so that the idle rest of the interval is not charged to Flink; without waiting
        // for it, since a request stays unanswered when the job happens to finish with a periodic one.
        long commitNs = 0, commitCpuNs = 0;
        CompletableFuture<?> asked = null;
        while (!done.isDone()) {
            if (ENDED.get() == parallelism && commitNs == 0) {
                if (asked == null || asked.isCompletedExceptionally()) asked = cluster.triggerCheckpoint(graph.getJobID(), CheckpointType.CONFIGURED);
                if (asked.isDone() && !asked.isCompletedExceptionally() && isCommitted(admin, out)) {
                    commitNs = System.nanoTime();
                    commitCpuNs = OS.getProcessCpuTime();
                }
            }
            try {
                done.get(5, TimeUnit.MILLISECONDS);
            } catch (TimeoutException goOn) {
            }
        }
        if (commitNs == 0) {
            commitNs = System.nanoTime();
            commitCpuNs = OS.getProcessCpuTime();
        }
        done.get().toJobExecutionResult(Main.class.getClassLoader()); // throws where the job has failed
        if (!isCommitted(admin, out)) throw new IllegalStateException("the job has finished, but its output is not committed");
        admin.close();
        System.out.printf("%s events=%d actions=%d wall_s=%.3f cpu_s=%.3f peak_kb=%d%n", tag, EVENTS.get(), ACTIONS.get(),
                          (commitNs - firstNs) / 1e9, (commitCpuNs - firstCpuNs) / 1e9, peakKb());
    }

    private static long peakKb() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("[^0-9]", ""));
        return 0;
    }

    /** Is no record of the topic in an open transaction? */
    private static boolean isCommitted(Admin admin, String topic) throws Exception {
        Map<TopicPartition, OffsetSpec> newest = new HashMap<>();
        for (var p : admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions())
            newest.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest());
        var stable = admin.listOffsets(newest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
        var high = admin.listOffsets(newest, new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED)).all().get();
        return newest.keySet().stream().allMatch(p -> stable.get(p).offset() == high.get(p).offset());
    }
}
