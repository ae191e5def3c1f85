package bench;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import shop.Buf;
import shop.Customer;
import shop.Event;

/** Hand-written serializers: a length and the bytes of Buf. */
public final class Sers {
    private static final ThreadLocal<Buf> BUF = ThreadLocal.withInitial(() -> new Buf(4096));

    private static Buf buf() { Buf b = BUF.get(); b.p = 0; return b; }
    private static void put(Buf b, DataOutputView o) throws IOException { o.writeInt(b.p); o.write(b.b, 0, b.p); }
    private static Buf get(DataInputView in) throws IOException {
        int n = in.readInt();
        Buf b = buf();
        if (b.b.length < n) b.b = new byte[2 * n];
        in.readFully(b.b, 0, n);
        return b;
    }
    private abstract static class Base<T> extends TypeSerializerSingleton<T> {
        @Override public boolean isImmutableType() { return false; }
        @Override public T copy(T f, T t) { return copy(f); }
        @Override public int getLength() { return -1; }
        @Override public T deserialize(T e, DataInputView in) throws IOException { return deserialize(in); }
        @Override public void copy(DataInputView in, DataOutputView o) throws IOException { int n = in.readInt(); o.writeInt(n); o.write(in, n); }
    }
    /** What crosses the shuffle. The event time travels in the StreamRecord. */
    public static final class Events extends Base<Event> {
        public static final Events INSTANCE = new Events();
        @Override public Event createInstance() { return new Event(); }
        @Override public Event copy(Event f) { Buf b = buf(); f.write(b); b.p = 0; Event e = new Event(); e.read(b); return e; }
        @Override public void serialize(Event e, DataOutputView o) throws IOException { Buf b = buf(); e.write(b); put(b, o); }
        @Override public Event deserialize(DataInputView in) throws IOException { Event e = new Event(); Buf b = get(in); e.read(b); return e; }
        @Override public TypeSerializerSnapshot<Event> snapshotConfiguration() { return new Snap(); }
        public static final class Snap extends SimpleTypeSerializerSnapshot<Event> { public Snap() { super(() -> INSTANCE); } }
    }
    /** State. */
    public static final class Customers extends Base<Customer> {
        public static final Customers INSTANCE = new Customers();
        @Override public Customer createInstance() { return new Customer(); }
        @Override public Customer copy(Customer f) { return f.copy(); }
        @Override public void serialize(Customer e, DataOutputView o) throws IOException { Buf b = buf(); e.write(b); put(b, o); }
        @Override public Customer deserialize(DataInputView in) throws IOException { return Customer.read(get(in)); }
        @Override public TypeSerializerSnapshot<Customer> snapshotConfiguration() { return new Snap(); }
        public static final class Snap extends SimpleTypeSerializerSnapshot<Customer> { public Snap() { super(() -> INSTANCE); } }
    }
    /** Never used while operator and sink are chained, as they are. */
    public static final class Actions extends Base<Action> {
        public static final Actions INSTANCE = new Actions();
        @Override public Action createInstance() { return new Action(); }
        @Override public Action copy(Action f) { throw new UnsupportedOperationException(); }
        @Override public void serialize(Action e, DataOutputView o) { throw new UnsupportedOperationException(); }
        @Override public Action deserialize(DataInputView in) { throw new UnsupportedOperationException(); }
        @Override public TypeSerializerSnapshot<Action> snapshotConfiguration() { return new Snap(); }
        public static final class Snap extends SimpleTypeSerializerSnapshot<Action> { public Snap() { super(() -> INSTANCE); } }
    }
}
