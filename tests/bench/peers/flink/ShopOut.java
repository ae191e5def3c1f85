package bench;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import shop.Logic;

public final class ShopOut implements KafkaRecordSerializationSchema<Action> {
    private final String topic;
    private transient StringBuilder sb;
    public ShopOut(String topic) { this.topic = topic; }
    @Override public ProducerRecord<byte[], byte[]> serialize(Action a, KafkaSinkContext c, Long ts) {
        if (sb == null) sb = new StringBuilder(512);
        Logic.json(sb, a.customer, a.rule, a.key, a.time, a.text, a.price, a.items);
        return new ProducerRecord<>(topic, null, null, a.customer.getBytes(StandardCharsets.UTF_8), sb.toString().getBytes(StandardCharsets.UTF_8));
    }
}
