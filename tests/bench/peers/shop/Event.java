package shop;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;

/** What the rules read of an event. Its time is the record's. The arrays are never changed once filled: state may keep them. */
public class Event {
    public static final byte OTHER = 0, VIEW = 1, CLICK = 2, ADD = 3, BUY = 4, VISIT = 5;
    private static final JsonFactory F = new JsonFactory();
    public byte kind;
    public String customer;
    public String key;                       // VIEW: product, ADD, BUY: cart
    public String text;                      // VIEW: category, BUY: order, VISIT: channel
    public double price;                     // VIEW: price, BUY: total
    public Items items = Items.NONE;         // ADD, BUY

    public static final class Items {
        public static final Items NONE = new Items(new String[0], new double[0], new int[0]);
        public final String[] product;
        public final double[] price;
        public final int[] qty;
        public Items(String[] p, double[] d, int[] q) { product = p; price = d; qty = q; }
        public void write(Buf b) {
            b.v(product.length);
            for (int i = 0; i < product.length; i++) { b.s(product[i]); b.f8(price[i]); b.v(qty[i]); }
        }
        public static Items read(Buf b) {
            int n = b.rv();
            if (n == 0) return NONE;
            Items t = new Items(new String[n], new double[n], new int[n]);
            for (int i = 0; i < n; i++) { t.product[i] = b.rs(); t.price[i] = b.rf8(); t.qty[i] = b.rv(); }
            return t;
        }
    }

    public void write(Buf b) {
        b.u1(kind);
        b.s(customer);
        switch (kind) {
            case VIEW: b.s(key); b.s(text); b.f8(price); break;
            case ADD: b.s(key); items.write(b); break;
            case BUY: b.s(key); b.s(text); b.f8(price); items.write(b); break;
            case VISIT: b.s(text); break;
            default:
        }
    }
    public void read(Buf b) {
        kind = (byte) b.ru1();
        customer = b.rs();
        switch (kind) {
            case VIEW: key = b.rs(); text = b.rs(); price = b.rf8(); break;
            case ADD: key = b.rs(); items = Items.read(b); break;
            case BUY: key = b.rs(); text = b.rs(); price = b.rf8(); items = Items.read(b); break;
            case VISIT: text = b.rs(); break;
            default:
        }
    }

    private static final int TYPE = 1, CUSTOMER = 2, KEY = 4, TEXT = 8, PRICE = 16, ITEMS = 32;
    private static final int[] WANT = {TYPE | CUSTOMER, TYPE | CUSTOMER | KEY | TEXT | PRICE, TYPE | CUSTOMER, TYPE | CUSTOMER | KEY | ITEMS,
        TYPE | CUSTOMER | KEY | TEXT | PRICE | ITEMS, TYPE | CUSTOMER | TEXT};

    /** Reads the object until everything that the rules need of this type has been seen. Fields may come in any order. */
    public void parse(byte[] v) throws IOException {
        int kind = -1, got = 0;
        String product = null, cart = null, order = null, category = null, channel = null;
        double price = 0, total = 0;
        items = Items.NONE;
        try (JsonParser p = F.createParser(v)) {
            if (p.nextToken() != JsonToken.START_OBJECT) throw new IOException("not an object");
            String f;
            while ((f = p.nextFieldName()) != null) {
                JsonToken t = p.nextToken();
                switch (f) {
                    case "type": kind = kind(p.getText()); got |= TYPE; break;
                    case "customer": customer = p.getText(); got |= CUSTOMER; break;
                    case "product": product = p.getText(); if (kind == VIEW) got |= KEY; break;
                    case "category": category = p.getText(); if (kind == VIEW) got |= TEXT; break;
                    case "price": price = p.getDoubleValue(); if (kind == VIEW) got |= PRICE; break;
                    case "cart": cart = p.getText(); if (kind == ADD || kind == BUY) got |= KEY; break;
                    case "order": order = p.getText(); if (kind == BUY) got |= TEXT; break;
                    case "total": total = p.getDoubleValue(); if (kind == BUY) got |= PRICE; break;
                    case "channel": if (kind != CLICK) { channel = p.getText(); if (kind == VISIT) got |= TEXT; } break;
                    case "items": items(p); if (kind == ADD || kind == BUY) got |= ITEMS; break;
                    default: if (t.isStructStart()) p.skipChildren(); continue;
                }
                if (kind >= 0 && (got & WANT[kind]) == WANT[kind]) break;
            }
        }
        this.kind = kind < 0 ? OTHER : (byte) kind;
        switch (this.kind) {
            case VIEW: key = product; text = category; this.price = price; break;
            case ADD: key = cart; break;
            case BUY: key = cart; text = order; this.price = total; break;
            case VISIT: text = channel; break;
            default:
        }
    }

    private String[] ip;                     // scratch of the one event that a source parses into
    private double[] id_;
    private int[] iq;
    private void items(JsonParser p) throws IOException {
        if (ip == null) { ip = new String[256]; id_ = new double[256]; iq = new int[256]; }
        int n = 0;
        while (p.nextToken() == JsonToken.START_OBJECT) {
            String f;
            while ((f = p.nextFieldName()) != null) {
                JsonToken t = p.nextToken();
                switch (f) {
                    case "product": ip[n] = p.getText(); break;
                    case "price": id_[n] = p.getDoubleValue(); break;
                    case "qty": iq[n] = p.getIntValue(); break;
                    default: if (t.isStructStart()) p.skipChildren();
                }
            }
            n++;
        }
        items = new Items(Arrays.copyOf(ip, n), Arrays.copyOf(id_, n), Arrays.copyOf(iq, n));
    }

    private static int kind(String s) {
        switch (s) {
            case "view": return VIEW;
            case "click": return CLICK;
            case "add_to_cart": return ADD;
            case "purchase": return BUY;
            case "visit": return VISIT;
            default: return OTHER;
        }
    }
}
