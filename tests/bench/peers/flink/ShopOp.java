package bench;

import java.util.LinkedHashMap;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.util.Collector;
import shop.Customer;
import shop.Event;
import shop.Logic;

/** The stock KeyedProcessOperator; endInput only tells the harness that the whole input has been processed. */
public final class ShopOp extends KeyedProcessOperator<String, Event, Action> implements BoundedOneInput {
    private final Fn fn;
    public ShopOp(Fn fn) { super(fn); this.fn = fn; }
    @Override public void open() throws Exception { super.open(); fn.op = this; }
    @Override public void prepareSnapshotPreBarrier(long id) throws Exception { fn.flush(); super.prepareSnapshotPreBarrier(id); }
    @Override public void endInput() { Main.ended(fn.events, fn.actions); }

    /** One object of state per customer, one event-time timer per customer (for its earliest wait; one that has moved is found out when it fires). */
    public static final class Fn extends KeyedProcessFunction<String, Event, Action> {
        private final int cache;                 // RocksDB: so many customers as objects, written to the state when evicted and before a checkpoint; heap: 0, the state's own object is changed in place
        private transient LinkedHashMap<String, Entry> lru;
        transient ShopOp op;
        private static final class Entry { final Customer c; boolean dirty; Entry(Customer c) { this.c = c; } }
        private transient ValueState<Customer> st;
        private transient Action a;
        private transient Collector<Action> col;
        private transient Logic.Sink sink;
        transient long events, actions;
        public Fn(int cache) { this.cache = cache; }

        @Override public void open(OpenContext c) {
            st = getRuntimeContext().getState(new ValueStateDescriptor<>("customer", Sers.Customers.INSTANCE));
            if (cache > 0) lru = new LinkedHashMap<>(cache * 2, .75f, true);
            a = new Action();
            sink = (customer, rule, key, time, text, price, items) -> {
                a.customer = customer; a.rule = rule; a.key = key; a.time = time; a.text = text; a.price = price; a.items = items;
                actions++;
                col.collect(a);
            };
        }
        @Override public void processElement(Event e, Context ctx, Collector<Action> o) throws Exception {
            events++;
            if (e.kind == Event.OTHER) return;
            Customer c = get(e.customer);
            boolean fresh = c == null;
            if (fresh) c = new Customer();
            col = o;
            Logic.event(c, e, ctx.timestamp(), sink);
            long d = c.nextDue();
            if (d != 0 && (c.timer == 0 || d < c.timer)) ctx.timerService().registerEventTimeTimer(c.timer = d);
            put(e.customer, c, fresh);
        }
        @Override public void onTimer(long t, OnTimerContext ctx, Collector<Action> o) throws Exception {
            String k = ctx.getCurrentKey();
            Customer c = get(k);
            if (c == null || c.timer != t) return;
            col = o;
            Logic.waits(c, k, t + 1, sink);
            if ((c.timer = c.nextDue()) != 0) ctx.timerService().registerEventTimeTimer(c.timer);
            put(k, c, false);
        }

        private Customer get(String k) throws Exception {
            if (lru == null) return st.value();
            Entry e = lru.get(k);
            if (e != null) return e.c;
            Customer c = st.value();
            if (c != null) insert(k, new Entry(c));
            return c;
        }
        private void put(String k, Customer c, boolean fresh) throws Exception {
            if (lru == null) { if (fresh) st.update(c); return; }
            if (fresh) { Entry e = new Entry(c); e.dirty = true; insert(k, e); }
            else lru.get(k).dirty = true;
        }
        private void insert(String k, Entry e) throws Exception {
            lru.put(k, e);
            if (lru.size() <= cache) return;
            var it = lru.entrySet().iterator();
            var old = it.next();
            it.remove();
            if (old.getValue().dirty) {
                op.setCurrentKey(old.getKey());
                st.update(old.getValue().c);
                op.setCurrentKey(k);
            }
        }
        void flush() throws Exception {
            if (lru == null) return;
            for (var x : lru.entrySet()) if (x.getValue().dirty) {
                op.setCurrentKey(x.getKey());
                st.update(x.getValue().c);
                x.getValue().dirty = false;
            }
        }
    }
}
