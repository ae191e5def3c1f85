package bench;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

public final class CartOut implements KafkaRecordSerializationSchema<Cart> {
    private final String topic;
    private transient StringBuilder sb;
    public CartOut(String topic) { this.topic = topic; }
    @Override public ProducerRecord<byte[], byte[]> serialize(Cart a, KafkaSinkContext c, Long ts) {
        StringBuilder b = sb;
        if (b == null) b = sb = new StringBuilder(160);
        b.setLength(0);
        b.append("{\"rule\":\"cart_abandoned\",\"customer\":");
        str(b, a.customer);
        b.append(",\"cart\":");
        str(b, a.cart);
        b.append(",\"due\":").append(a.due).append('}');
        return new ProducerRecord<>(topic, null, null, a.customer.getBytes(StandardCharsets.UTF_8), b.toString().getBytes(StandardCharsets.UTF_8));
    }
    private static void str(StringBuilder b, String s) {
        b.append('"');
        for (int i = 0; i < s.length(); i++) {
            char ch = s.charAt(i);
            if (ch == '"' || ch == '\\') b.append('\\').append(ch);
            else if (ch < 32) b.append(String.format("\\u%04x", (int) ch));
            else b.append(ch);
        }
        b.append('"');
    }
}
