package bench;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.StringValue;

/** What crosses the shuffle. The event time travels in the StreamRecord. */
public final class CartEvent {
    public static final byte OTHER = 0, ADD = 1, PURCHASE = 2;
    public byte kind;
    public String customer;
    public String cart; // only for ADD

    public static final class Ser extends TypeSerializerSingleton<CartEvent> {
        public static final Ser INSTANCE = new Ser();
        @Override public boolean isImmutableType() { return false; }
        @Override public CartEvent createInstance() { return new CartEvent(); }
        @Override public CartEvent copy(CartEvent f) { return copy(f, new CartEvent()); }
        @Override public CartEvent copy(CartEvent f, CartEvent t) { t.kind = f.kind; t.customer = f.customer; t.cart = f.cart; return t; }
        @Override public int getLength() { return -1; }
        @Override public void serialize(CartEvent e, DataOutputView o) throws IOException {
            o.writeByte(e.kind);
            StringValue.writeString(e.customer, o);
            if (e.kind == ADD) StringValue.writeString(e.cart, o);
        }
        @Override public CartEvent deserialize(DataInputView in) throws IOException { return deserialize(new CartEvent(), in); }
        @Override public CartEvent deserialize(CartEvent e, DataInputView in) throws IOException {
            e.kind = in.readByte();
            e.customer = StringValue.readString(in);
            e.cart = e.kind == ADD ? StringValue.readString(in) : null;
            return e;
        }
        @Override public void copy(DataInputView in, DataOutputView o) throws IOException { serialize(deserialize(in), o); }
        @Override public TypeSerializerSnapshot<CartEvent> snapshotConfiguration() { return new Snap(); }
        public static final class Snap extends SimpleTypeSerializerSnapshot<CartEvent> {
            public Snap() { super(() -> INSTANCE); }
        }
    }
}
