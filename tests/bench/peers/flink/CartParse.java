package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads an object until everything is known that the rule needs; on the thread of the source. Every event goes on, in one object. */
public final class CartParse implements KafkaRecordDeserializationSchema<CartEvent> {
    private static final JsonFactory F = new JsonFactory();
    private transient CartEvent ev;

    @Override public void deserialize(ConsumerRecord<byte[], byte[]> r, Collector<CartEvent> out) throws IOException {
        CartEvent e = ev;
        if (e == null) { ev = e = new CartEvent(); Main.first(); }
        parse(r.value(), e);
        out.collect(e);
    }

    void parse(byte[] v, CartEvent e) throws IOException {
        byte kind = -1;
        String customer = null, cart = null;
        try (JsonParser p = F.createParser(v)) {
            if (p.nextToken() != JsonToken.START_OBJECT) throw new IOException("not an object");
            String f;
            while ((f = p.nextFieldName()) != null) {
                JsonToken t = p.nextToken();
                switch (f) {
                    case "type":
                        kind = kind(p);
                        break;
                    case "customer": customer = p.getText(); break;
                    case "cart": if (kind != CartEvent.OTHER && kind != CartEvent.PURCHASE) cart = p.getText(); break;
                    default: if (t.isStructStart()) p.skipChildren(); continue;
                }
                if (kind >= 0 && customer != null && (kind != CartEvent.ADD || cart != null)) break;
            }
        }
        e.kind = kind < 0 ? CartEvent.OTHER : kind;
        e.customer = customer;
        e.cart = cart;
    }

    private static byte kind(JsonParser p) throws IOException {
        char[] c = p.getTextCharacters();
        int o = p.getTextOffset(), n = p.getTextLength();
        if (is(c, o, n, "add_to_cart")) return CartEvent.ADD;
        if (is(c, o, n, "purchase")) return CartEvent.PURCHASE;
        return CartEvent.OTHER;
    }
    private static boolean is(char[] c, int o, int n, String s) {
        if (n != s.length()) return false;
        for (int i = 0; i < n; i++) if (c[o + i] != s.charAt(i)) return false;
        return true;
    }
    @Override public TypeInformation<CartEvent> getProducedType() { return new TI<>(CartEvent.class, CartEvent.Ser.INSTANCE); }
}
