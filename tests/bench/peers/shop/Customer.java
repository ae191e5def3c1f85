package shop;

import java.util.Arrays;

/** Everything kept of one customer. */
public final class Customer {
    static final Run[] NORUN = new Run[0];
    static final Cancel[] NOCANCEL = new Cancel[0];
    static final int[] NOINT = new int[0];
    static final String[] NOSTR = new String[0];

    public static final class Run {
        byte rule;
        String key;
        long newest, due, first; // first: due before any deferral
        String text;            // browse: category, regular: channel
        double price;           // browse
        Event.Items items;      // cart: of the newest trigger
        Run copy() { Run r = new Run(); r.rule = rule; r.key = key; r.newest = newest; r.due = due; r.first = first; r.text = text; r.price = price; r.items = items; return r; }
    }
    /** A cart or purchase that a late view or cart may still be older than. Never changed. */
    public static final class Cancel {
        final long time;
        final String cart;      // null: an add_to_cart
        final String[] product;
        Cancel(long t, String c, String[] p) { time = t; cart = c; product = p; }
    }

    long latest;                                 // newest event
    int orders;
    long lastEmail, lastCart, lastBrowse, lastRegular;   // 0: never
    int views;                                   // entries used: product, 10 minutes, how many
    String[] viewProduct = NOSTR;
    int[] viewSlot = NOINT, viewCount = NOINT;
    int visits;
    int[] visitSlot = NOINT, visitCount = NOINT;
    int runs;
    Run[] run = NORUN;
    Cancel[] cancel = NOCANCEL;
    public long timer;                           // a timer is registered for this time; 0: none

    /** Views of this product in the last 24 h (buckets of 10 min), the present one included. */
    int view(String product, long ts, long now) {
        int h = (int) (ts / Logic.SLOT), lo = (int) ((now - Logic.DAY) / Logic.SLOT), n = 0, at = -1;
        for (int i = 0; i < views; i++) {
            if (viewSlot[i] > lo && viewProduct[i].equals(product)) {
                n += viewCount[i];
                if (viewSlot[i] == h) at = i;
            }
        }
        if (at >= 0) viewCount[at]++;
        else {
            if (views == viewSlot.length) {      // make room: forget what has left the window, else grow
                int w = 0;
                for (int i = 0; i < views; i++) if (viewSlot[i] > lo) { viewProduct[w] = viewProduct[i]; viewSlot[w] = viewSlot[i]; viewCount[w++] = viewCount[i]; }
                for (int i = w; i < views; i++) viewProduct[i] = null;
                views = w;
                if (w * 4 > viewSlot.length * 3 || viewSlot.length == 0) {
                    int c = viewSlot.length == 0 ? 2 : viewSlot.length * 2;
                    viewProduct = Arrays.copyOf(viewProduct, c); viewSlot = Arrays.copyOf(viewSlot, c); viewCount = Arrays.copyOf(viewCount, c);
                }
            }
            viewProduct[views] = product; viewSlot[views] = h; viewCount[views++] = 1;
        }
        return n + 1;
    }
    /** Visits and clicks in the last 48 h (buckets of 10 min), the present one included. */
    int visit(long ts, long now) {
        int h = (int) (ts / Logic.SLOT), lo = (int) ((now - 2 * Logic.DAY) / Logic.SLOT), n = 0, at = -1;
        for (int i = 0; i < visits; i++) {
            if (visitSlot[i] > lo) n += visitCount[i];
            if (visitSlot[i] == h) at = i;
        }
        if (at >= 0) visitCount[at]++;
        else {
            if (visits == visitSlot.length) {
                int w = 0;
                for (int i = 0; i < visits; i++) if (visitSlot[i] > lo) { visitSlot[w] = visitSlot[i]; visitCount[w++] = visitCount[i]; }
                visits = w;
                if (w * 4 > visitSlot.length * 3 || visitSlot.length == 0) {
                    int c = visitSlot.length == 0 ? 2 : visitSlot.length * 2;
                    visitSlot = Arrays.copyOf(visitSlot, c); visitCount = Arrays.copyOf(visitCount, c);
                }
            }
            visitSlot[visits] = h; visitCount[visits++] = 1;
        }
        return n + 1;
    }
    Run find(int rule, String key) {
        for (int i = 0; i < runs; i++) if (run[i].rule == rule && run[i].key.equals(key)) return run[i];
        return null;
    }
    void add(Run r) {
        if (runs == run.length) run = Arrays.copyOf(run, runs == 0 ? 1 : runs * 2);
        run[runs++] = r;
    }
    void remove(Run r) {
        for (int i = 0; i < runs; i++) if (run[i] == r) { run[i] = run[--runs]; run[runs] = null; return; }
    }
    /** The earliest due time, 0: none. */
    public long nextDue() {
        long d = 0;
        for (int i = 0; i < runs; i++) if (d == 0 || run[i].due < d) d = run[i].due;
        return d;
    }

    public Customer copy() {
        Customer c = new Customer();
        c.latest = latest; c.orders = orders; c.lastEmail = lastEmail; c.lastCart = lastCart; c.lastBrowse = lastBrowse; c.lastRegular = lastRegular;
        c.views = views; c.visits = visits; c.runs = runs; c.timer = timer;
        c.viewProduct = views == 0 ? NOSTR : viewProduct.clone(); c.viewSlot = viewSlot.clone(); c.viewCount = viewCount.clone();
        c.visitSlot = visitSlot.clone(); c.visitCount = visitCount.clone();
        c.run = run.clone();
        for (int i = 0; i < runs; i++) c.run[i] = run[i].copy();
        c.cancel = cancel;                       // replaced, never changed
        return c;
    }

    public void write(Buf b) {
        b.i8(latest); b.v(orders);
        int m = (lastEmail != 0 ? 1 : 0) | (lastCart != 0 ? 2 : 0) | (lastBrowse != 0 ? 4 : 0) | (lastRegular != 0 ? 8 : 0) | (timer != 0 ? 16 : 0);
        b.u1(m);
        if ((m & 1) != 0) b.i8(lastEmail);
        if ((m & 2) != 0) b.i8(lastCart);
        if ((m & 4) != 0) b.i8(lastBrowse);
        if ((m & 8) != 0) b.i8(lastRegular);
        if ((m & 16) != 0) b.i8(timer);
        int h = (int) (latest / Logic.SLOT) + 1; // as a distance: one or two bytes
        int n = 0;
        for (int i = 0; i < views; i++) if (h - viewSlot[i] < 147) n++;
        b.v(n);
        for (int i = 0; i < views; i++) if (h - viewSlot[i] < 147) { b.s(viewProduct[i]); b.v(h - viewSlot[i]); b.v(viewCount[i]); }
        n = 0;
        for (int i = 0; i < visits; i++) if (h - visitSlot[i] < 291) n++;
        b.v(n);
        for (int i = 0; i < visits; i++) if (h - visitSlot[i] < 291) { b.v(h - visitSlot[i]); b.v(visitCount[i]); }
        b.v(runs);
        for (int i = 0; i < runs; i++) {
            Run r = run[i];
            b.u1(r.rule); b.i8(r.due); b.v((int) (r.due - r.first));
            switch (r.rule) {
                case Logic.CART: b.i8(r.newest); b.s(r.key); r.items.write(b); break;
                case Logic.BROWSE: b.i8(r.newest); b.s(r.key); b.s(r.text); b.f8(r.price); break;
                default: b.s(r.text);
            }
        }
        b.v(cancel.length);
        for (Cancel k : cancel) {
            b.i8(k.time); b.s(k.cart == null ? "" : k.cart); b.v(k.product.length);
            for (String p : k.product) b.s(p);
        }
    }
    public static Customer read(Buf b) {
        Customer c = new Customer();
        c.latest = b.ri8(); c.orders = b.rv();
        int m = b.ru1();
        if ((m & 1) != 0) c.lastEmail = b.ri8();
        if ((m & 2) != 0) c.lastCart = b.ri8();
        if ((m & 4) != 0) c.lastBrowse = b.ri8();
        if ((m & 8) != 0) c.lastRegular = b.ri8();
        if ((m & 16) != 0) c.timer = b.ri8();
        int h = (int) (c.latest / Logic.SLOT) + 1;
        int n = c.views = b.rv();
        if (n > 0) {
            c.viewProduct = new String[n + 1]; c.viewSlot = new int[n + 1]; c.viewCount = new int[n + 1];
            for (int i = 0; i < n; i++) { c.viewProduct[i] = b.rs(); c.viewSlot[i] = h - b.rv(); c.viewCount[i] = b.rv(); }
        }
        n = c.visits = b.rv();
        if (n > 0) {
            c.visitSlot = new int[n + 1]; c.visitCount = new int[n + 1];
            for (int i = 0; i < n; i++) { c.visitSlot[i] = h - b.rv(); c.visitCount[i] = b.rv(); }
        }
        n = c.runs = b.rv();
        if (n > 0) {
            c.run = new Run[n];
            for (int i = 0; i < n; i++) {
                Run r = c.run[i] = new Run();
                r.rule = (byte) b.ru1(); r.due = b.ri8(); r.first = r.due - b.rv(); r.key = "";
                switch (r.rule) {
                    case Logic.CART: r.newest = b.ri8(); r.key = b.rs(); r.items = Event.Items.read(b); break;
                    case Logic.BROWSE: r.newest = b.ri8(); r.key = b.rs(); r.text = b.rs(); r.price = b.rf8(); break;
                    default: r.text = b.rs();
                }
            }
        }
        n = b.rv();
        if (n > 0) {
            c.cancel = new Cancel[n];
            for (int i = 0; i < n; i++) {
                long t = b.ri8();
                String k = b.rs();
                String[] p = new String[b.rv()];
                for (int j = 0; j < p.length; j++) p[j] = b.rs();
                c.cancel[i] = new Cancel(t, k.isEmpty() ? null : k, p);
            }
        }
        return c;
    }
}
