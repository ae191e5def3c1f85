package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import shop.Buf;
import shop.Customer;
import shop.Event;
import shop.Logic;

/**
 * ShopMix. Store "customers": customer -> Customer (Buf). Timers: one per customer (for its earliest wait; one that has moved is found
 * out when it comes) in an in-memory heap per task, rebuilt in init() by scanning the store, which is restored before init.
 * Event and timer work, the output and the changelog are in one transaction with the input offsets (EOS v2).
 */
public final class ShopProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private record Timer(long due, byte[] customer) implements Comparable<Timer> {
        public int compareTo(final Timer o) { return Long.compare(due, o.due); }
    }
    private ProcessorContext<byte[], byte[]> ctx;
    private KeyValueStore<byte[], byte[]> customers;
    private PriorityQueue<Timer> heap;
    private long streamTime, actions;
    private Main.Progress progress;
    private final Event ev = new Event();
    private final Buf buf = new Buf(4096);
    private final StringBuilder sb = new StringBuilder(512);
    private byte[] key;                          // of the customer being dealt with
    private final Logic.Sink sink = this::emit;
    /** The customers used last, as objects: saves the look-up and the deserialization; every change is still put into the store. */
    private static final int CACHE = Integer.parseInt(Main.opt("objects", "5000"));
    private final LinkedHashMap<String, Customer> lru = new LinkedHashMap<>(1024, .75f, true) {
        @Override protected boolean removeEldestEntry(final Map.Entry<String, Customer> e) { return size() > CACHE; }
    };

    @Override public void init(final ProcessorContext<byte[], byte[]> context) {
        ctx = context;
        customers = context.getStateStore("customers");
        streamTime = context.currentStreamTimeMs();
        progress = Main.progress(context.taskId().partition());
        heap = new PriorityQueue<>(4096);
        lru.clear();
        try (KeyValueIterator<byte[], byte[]> it = customers.all()) {
            while (it.hasNext()) {
                final KeyValue<byte[], byte[]> kv = it.next();
                final Customer c = Customer.read(new Buf(kv.value));
                if (c.timer != 0) heap.add(new Timer(c.timer, kv.key));
            }
        }
    }

    @Override public void process(final Record<byte[], byte[]> rec) {
        final long ts = rec.timestamp();
        try { ev.parse(rec.value()); } catch (final IOException x) { throw new UncheckedIOException(x); }
        if (ts > streamTime) {
            streamTime = ts;
            final long bound = ts - Logic.LATENESS;
            Timer t;
            while ((t = heap.peek()) != null && t.due < bound) { heap.poll(); fire(t, bound); }
        }
        if (ev.kind != Event.OTHER) {
            key = rec.key();
            final Customer c = get(ev.customer);
            Logic.event(c, ev, ts, sink);
            final long d = c.nextDue();
            if (d != 0 && (c.timer == 0 || d < c.timer)) heap.add(new Timer(c.timer = d, key));
            put(c);
        }
        progress.done(ctx, actions);
    }

    private void fire(final Timer t, final long bound) {
        key = t.customer;
        final String customer = new String(key, StandardCharsets.UTF_8);
        final Customer c = get(customer);
        if (c.timer != t.due) return;
        Logic.waits(c, customer, bound, sink);
        if ((c.timer = c.nextDue()) != 0) heap.add(new Timer(c.timer, key));
        put(c);
    }
    private Customer get(final String customer) {
        Customer c = lru.get(customer);
        if (c != null) return c;
        final byte[] old = customers.get(key);
        c = old == null ? new Customer() : Customer.read(new Buf(old));
        lru.put(customer, c);
        return c;
    }
    private void put(final Customer c) {
        buf.p = 0;
        c.write(buf);
        customers.put(key, buf.bytes());
    }
    private void emit(final String customer, final byte rule, final String k, final long time, final String text, final double price, final Event.Items items) {
        Logic.json(sb, customer, rule, k, time, text, price, items);
        actions++;
        ctx.forward(new Record<>(key, sb.toString().getBytes(StandardCharsets.UTF_8), time));
    }
}
