package shop;

import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Arrays;
import shop.Customer.Cancel;
import shop.Customer.Run;

/** The ShopMix rules, by hand. */
public final class Logic {
    public static final long HOUR = 3_600_000L, DAY = 24 * HOUR, SLOT = 600_000L, LATENESS = 30_000L;
    public static final byte CART = 0, BROWSE = 1, REGULAR = 2, FIRST = 3;   // the first three in order of priority
    public static final String[] RULE = {"cart_abandoned", "browse_abandoned", "regular", "first_purchase"};

    public interface Sink { void send(String customer, byte rule, String key, long time, String text, double price, Event.Items items); }

    /** One event at time ts; what this customer has due before it happens first. */
    public static void event(Customer c, Event e, long ts, Sink out) {
        waits(c, e.customer, ts, out);
        if (ts > c.latest) c.latest = ts;
        long now = c.latest;
        switch (e.kind) {
            case Event.VIEW:
                if (c.view(e.key, ts, now) >= 3 && c.find(BROWSE, e.key) == null && !overtaken(c, e.key, false, ts) && !cooling(now, c.lastBrowse, 7 * DAY)) {
                    Run r = start(c, BROWSE, e.key, ts, ts + 4 * HOUR);
                    r.text = e.text; r.price = e.price;
                }
                break;
            case Event.CLICK:
                c.visit(ts, now);
                break;
            case Event.VISIT:
                if (c.visit(ts, now) >= 20 && c.find(REGULAR, "") == null && !cooling(now, c.lastRegular, 30 * DAY))
                    start(c, REGULAR, "", ts, ts + HOUR).text = e.text;
                break;
            case Event.ADD: {
                cancelProducts(c, e, ts);
                Run r = c.find(CART, e.key);
                if (r != null) {
                    if (ts >= r.newest) { r.newest = ts; r.due = r.first = ts + 45 * 60_000L; r.items = e.items; }
                } else if (!overtaken(c, e.key, true, ts) && !cooling(now, c.lastCart, DAY))
                    start(c, CART, e.key, ts, ts + 45 * 60_000L).items = e.items;
                remember(c, e, ts);
                break;
            }
            case Event.BUY: {
                c.orders++;
                Run r = c.find(CART, e.key);
                if (r != null && r.newest <= ts) c.remove(r);
                cancelProducts(c, e, ts);
                if (c.orders == 1) out.send(e.customer, FIRST, e.text, now, e.text, e.price, null);
                remember(c, e, ts);
                break;
            }
            default:
        }
    }

    /** Everything due before `bound`, in the order (due, priority, due before any deferral, key). */
    public static void waits(Customer c, String customer, long bound, Sink out) {
        while (c.runs > 0) {
            Run m = null;
            for (int i = 0; i < c.runs; i++) {
                Run r = c.run[i];
                if (r.due < bound && (m == null || r.due < m.due || r.due == m.due && (r.rule < m.rule || r.rule == m.rule && (r.first < m.first || r.first == m.first && r.key.compareTo(m.key) < 0)))) m = r;
            }
            if (m == null) return;
            long now = m.due;
            boolean cools;                           // asked again before the only send of the run
            switch (m.rule) {
                case CART: cools = cooling(now, c.lastCart, DAY); break;
                case BROWSE: cools = cooling(now, c.lastBrowse, 7 * DAY); break;
                default: cools = cooling(now, c.lastRegular, 30 * DAY);
            }
            if (cools) { c.remove(m); continue; }
            long q = quietEnd(now);
            if (q != 0) { m.due = q; continue; }
            c.remove(m);
            if (c.lastEmail != 0 && now - DAY < c.lastEmail) continue;      // capped
            c.lastEmail = now;
            switch (m.rule) {
                case CART: c.lastCart = now; break;
                case BROWSE: c.lastBrowse = now; break;
                default: c.lastRegular = now;
            }
            out.send(customer, m.rule, m.key, now, m.text, m.price, m.items);
        }
    }

    private static Run start(Customer c, byte rule, String key, long ts, long due) {
        Run r = new Run();
        r.rule = rule; r.key = key; r.newest = ts; r.due = r.first = due;
        c.add(r);
        return r;
    }
    private static boolean cooling(long now, long last, long cooldown) { return last != 0 && now < last + cooldown; }
    private static void cancelProducts(Customer c, Event e, long ts) {
        for (int i = c.runs - 1; i >= 0; i--) {
            Run r = c.run[i];
            if (r.rule == BROWSE && r.newest <= ts) for (String p : e.items.product) if (p.equals(r.key)) { c.remove(r); break; }
        }
    }
    /** A trigger that comes late, older than an event that would have cancelled it. */
    private static boolean overtaken(Customer c, String key, boolean cart, long ts) {
        for (Cancel k : c.cancel) if (k.time > ts) {
            if (cart) { if (key.equals(k.cart)) return true; }
            else for (String p : k.product) if (p.equals(key)) return true;
        }
        return false;
    }
    /** Nothing is later than LATENESS, so older ones need not be kept. */
    private static void remember(Customer c, Event e, long ts) {
        Cancel[] o = c.cancel;
        int n = 0;
        for (Cancel k : o) if (k.time > c.latest - LATENESS) n++;
        Cancel[] w = new Cancel[n + 1];
        n = 0;
        for (Cancel k : o) if (k.time > c.latest - LATENESS) w[n++] = k;
        w[n] = new Cancel(ts, e.kind == Event.BUY ? e.key : null, e.items.product);
        c.cancel = w;
    }

    /** 08:00 and 21:00 in Paris, alternating, from 08:00 of the first day. */
    private static volatile long[] edges = edges(LocalDate.of(2026, 1, 1), 1200);
    private static long[] edges(LocalDate d, int days) {
        ZoneId z = ZoneId.of("Europe/Paris");
        long[] e = new long[2 * days];
        for (int i = 0; i < days; i++, d = d.plusDays(1)) {
            e[2 * i] = d.atTime(8, 0).atZone(z).toInstant().toEpochMilli();
            e[2 * i + 1] = d.atTime(21, 0).atZone(z).toInstant().toEpochMilli();
        }
        return e;
    }
    /** The end of the quiet hours that t lies in, or 0. */
    static long quietEnd(long t) {
        long[] e = edges;
        if (t < e[0] || t >= e[e.length - 1]) edges = e = edges(LocalDate.ofEpochDay(t / DAY - 400), 1200);
        int i = Arrays.binarySearch(e, t);
        if (i < 0) i = -i - 2;
        return (i & 1) == 1 ? e[i + 1] : 0;
    }

    /** {"rule":..,"customer":..,"key":..,"time":..,"send":"email","with":{..}} */
    public static void json(StringBuilder b, String customer, byte rule, String key, long time, String text, double price, Event.Items items) {
        b.setLength(0);
        b.append("{\"rule\":\"").append(RULE[rule]).append("\",\"customer\":");
        str(b, customer);
        b.append(",\"key\":");
        str(b, key);
        b.append(",\"time\":").append(time).append(",\"send\":\"email\",\"with\":{\"template\":");
        switch (rule) {
            case CART:
                b.append("\"cart\",\"items\":[");
                double sum = 0;
                for (int i = 0; i < items.product.length; i++) {
                    if (i > 0) b.append(',');
                    b.append("{\"product\":");
                    str(b, items.product[i]);
                    b.append(",\"price\":").append(items.price[i]).append(",\"qty\":").append(items.qty[i]).append('}');
                    sum += items.price[i] * items.qty[i];
                }
                b.append("],\"total\":").append(sum);
                break;
            case BROWSE:
                b.append("\"still-looking\",\"product\":");
                str(b, key);
                b.append(",\"category\":");
                str(b, text);
                b.append(",\"price\":").append(price);
                break;
            case FIRST:
                b.append("\"thank-you\",\"order\":");
                str(b, key);
                b.append(",\"total\":").append(price);
                break;
            default:
                b.append("\"regular\",\"channel\":");
                str(b, text);
        }
        b.append("}}");
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
