package bench;

import shop.Event;

/** What goes from the rules to the sink, in the same task. */
public final class Action {
    public String customer, key, text;
    public byte rule;
    public long time;
    public double price;
    public Event.Items items;
}
