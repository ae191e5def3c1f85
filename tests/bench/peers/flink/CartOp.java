package bench;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.util.Collector;

/** The stock KeyedProcessOperator; endInput only tells the harness that the whole input has been processed. */
public final class CartOp extends KeyedProcessOperator<String, CartEvent, Cart> implements BoundedOneInput {
    private final Fn fn;
    public CartOp(Fn fn) { super(fn); this.fn = fn; }
    @Override public void endInput() { Main.ended(fn.events, fn.actions); }

    /** The rule. */
    public static final class Fn extends KeyedProcessFunction<String, CartEvent, Cart> {
        static final long WAIT = 45 * 60_000L;
        private transient ValueState<Cart> st;
        private transient Cart out;
        transient long events, actions;

        @Override public void open(OpenContext c) {
            st = getRuntimeContext().getState(new ValueStateDescriptor<>("cart", Cart.Ser.INSTANCE));
            out = new Cart();
        }
        @Override public void processElement(CartEvent e, Context ctx, Collector<Cart> o) throws Exception {
            events++;
            byte k = e.kind;
            if (k == CartEvent.OTHER) return;
            long ts = ctx.timestamp();
            Cart s = st.value();
            if (s != null && ts > s.due) { // overdue before the watermark got there: fires first
                ctx.timerService().deleteEventTimeTimer(s.due);
                emit(e.customer, s, o);
                if (k != CartEvent.ADD) st.clear();
                s = null;
            }
            if (k == CartEvent.ADD) {
                long due = ts + WAIT;
                if (s == null) s = new Cart();
                else ctx.timerService().deleteEventTimeTimer(s.due);
                s.due = due;
                s.cart = e.cart;
                st.update(s);
                ctx.timerService().registerEventTimeTimer(due);
            } else if (k == CartEvent.PURCHASE && s != null && ts < s.due) {
                ctx.timerService().deleteEventTimeTimer(s.due);
                st.clear();
            }
        }
        @Override public void onTimer(long t, OnTimerContext ctx, Collector<Cart> o) throws Exception {
            Cart s = st.value();
            if (s == null || s.due != t) return;
            emit(ctx.getCurrentKey(), s, o);
            st.clear();
        }
        private void emit(String customer, Cart s, Collector<Cart> o) {
            actions++;
            Cart a = out;
            a.customer = customer; a.cart = s.cart; a.due = s.due;
            o.collect(a);
        }
    }
}
