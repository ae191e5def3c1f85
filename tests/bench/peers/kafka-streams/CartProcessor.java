package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.PriorityQueue;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * CartAbandon. The store has an entry while a customer's timer is armed: its due time (8 bytes) and the cart. Timers are a
 * heap per task, made anew in init() from the store, which is restored before; an entry that is out of date is dropped when
 * it comes up, by comparing it with the store. Events, timers, output and changelog are in one transaction with the input's
 * offsets.
 */
public final class CartProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private static final long WAIT = 45 * 60_000L, GRACE = 30_000L;
    private static final VarHandle BE = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final JsonFactory JSON = new JsonFactory();
    private static final int OTHER = 0, ADD = 1, PURCHASE = 2;
    private static final char[] ADD_NAME = "add_to_cart".toCharArray(), PURCHASE_NAME = "purchase".toCharArray();

    private record Timer(long due, byte[] customer) implements Comparable<Timer> {
        public int compareTo(Timer o) { return Long.compare(due, o.due); }
    }

    private ProcessorContext<byte[], byte[]> ctx;
    private KeyValueStore<byte[], byte[]> carts;
    private PriorityQueue<Timer> future;    // due in the future of stream time
    private PriorityQueue<Timer> past;      // due in its past and not yet fired, within the grace
    private HashMap<Bytes, Integer> pastOf; // customers in past: only theirs can have to fire before an event
    private long streamTime, actions;
    private Main.Progress progress;
    private String cart;                    // last parsed cart
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);

    @Override public void init(ProcessorContext<byte[], byte[]> context) {
        ctx = context;
        carts = context.getStateStore("customers");
        streamTime = context.currentStreamTimeMs(); // restored from the metadata of the committed offset
        progress = Main.progress(context.taskId().partition());
        future = new PriorityQueue<>(4096);
        past = new PriorityQueue<>();
        pastOf = new HashMap<>();
        try (KeyValueIterator<byte[], byte[]> it = carts.all()) {
            while (it.hasNext()) {
                KeyValue<byte[], byte[]> entry = it.next();
                future.add(new Timer(due(entry.value), entry.key));
            }
        }
    }

    @Override public void process(Record<byte[], byte[]> rec) {
        int type = parse(rec.value());
        if (rec.timestamp() > streamTime) streamTime = rec.timestamp();
        for (Timer t; (t = future.peek()) != null && t.due < streamTime; ) {
            past.add(future.poll());
            pastOf.merge(Bytes.wrap(t.customer), 1, Integer::sum);
        }
        // Views, clicks and visits do nothing, but for a passed timer of their customer, which fires first.
        if (type != OTHER || pastOf.containsKey(Bytes.wrap(rec.key()))) happen(rec.key(), type, rec.timestamp());
        for (Timer t; (t = past.peek()) != null && t.due <= streamTime - GRACE; ) {
            past.poll();
            pastOf.merge(Bytes.wrap(t.customer), -1, (a, b) -> a + b == 0 ? null : a + b);
            byte[] state = carts.get(t.customer);
            if (state != null && due(state) == t.due) {
                emit(t.customer, state);
                carts.delete(t.customer);
            }
        }
        progress.done(ctx, actions);
    }

    private void happen(byte[] customer, int type, long ts) {
        byte[] state = carts.get(customer);
        boolean isArmed = state != null;
        if (isArmed && ts > due(state)) {
            emit(customer, state);
            isArmed = false;
            if (type != ADD) carts.delete(customer);
        }
        if (type == ADD) {
            byte[] c = cart.getBytes(StandardCharsets.UTF_8), v = new byte[8 + c.length];
            BE.set(v, 0, ts + WAIT);
            System.arraycopy(c, 0, v, 8, c.length);
            carts.put(customer, v);
            future.add(new Timer(ts + WAIT, customer));
        } else if (type == PURCHASE && isArmed) carts.delete(customer);
    }

    private static long due(byte[] state) {
        return (long) BE.get(state, 0);
    }

    private void emit(byte[] customer, byte[] state) {
        out.reset();
        try (JsonGenerator g = JSON.createGenerator(out)) {
            g.writeStartObject();
            g.writeStringField("rule", "cart_abandoned");
            g.writeFieldName("customer");
            g.writeUTF8String(customer, 0, customer.length);
            g.writeFieldName("cart");
            g.writeUTF8String(state, 8, state.length - 8);
            g.writeNumberField("due", due(state));
            g.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        actions++;
        ctx.forward(new Record<>(customer, out.toByteArray(), due(state)));
    }

    /** Reads fields until the type, and of an add_to_cart the cart, is known. */
    private int parse(byte[] v) {
        int type = -1;
        cart = null;
        try (JsonParser p = JSON.createParser(v)) {
            if (p.nextToken() != JsonToken.START_OBJECT) return OTHER;
            for (String f; (f = p.nextFieldName()) != null; ) {
                p.nextToken();
                if (f.equals("type")) {
                    type = typeOf(p.getTextCharacters(), p.getTextOffset(), p.getTextLength());
                    if (type != ADD || cart != null) return type;
                } else if (f.equals("cart")) {
                    cart = p.getText();
                    if (type == ADD) return type;
                } else p.skipChildren();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return OTHER;
    }

    private static int typeOf(char[] c, int o, int n) {
        if (Arrays.equals(c, o, o + n, ADD_NAME, 0, ADD_NAME.length)) return ADD;
        if (Arrays.equals(c, o, o + n, PURCHASE_NAME, 0, PURCHASE_NAME.length)) return PURCHASE;
        return OTHER;
    }
}
