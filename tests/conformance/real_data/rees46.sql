CREATE TABLE click AS
  SELECT user_id AS user, event_type AS kind, product_id AS product,
         replace(replace(event_time, ' UTC', ''), ' ', 'T') || 'Z' AS time,
         unixepoch(replace(event_time, ' UTC', '')) AS s, line
  FROM row;
CREATE INDEX clicks ON click (user, s);

-- The last thing that was put in a cart before 45 minutes without another and without a purchase.
SELECT 'cart', user, product, time FROM click c
WHERE kind = 'cart'
  AND NOT EXISTS (SELECT 1 FROM click n WHERE n.user = c.user AND n.s BETWEEN c.s AND c.s + 2700
                  AND (n.kind = 'purchase' OR n.kind = 'cart' AND (n.s, n.line) > (c.s, c.line)));

-- The last of three views of a product or more, before an hour without another and without a purchase of
-- anything, and never in the cart.
SELECT DISTINCT 'browse', user, product, time FROM click v
WHERE kind = 'view'
  AND 3 <= (SELECT count(*) FROM click n WHERE n.user = v.user AND n.product = v.product AND n.kind = 'view'
            AND n.s <= v.s + 3600)
  AND NOT EXISTS (SELECT 1 FROM click n WHERE n.user = v.user AND n.s <= v.s + 3600
                  AND n.product = v.product AND n.kind IN ('cart', 'purchase'))
  AND NOT EXISTS (SELECT 1 FROM click n WHERE n.user = v.user AND n.s BETWEEN v.s AND v.s + 3600
                  AND (n.kind = 'purchase' OR n.kind = 'view' AND n.product = v.product AND n.s > v.s));

SELECT DISTINCT 'left', user FROM click
WHERE kind = 'cart' AND user NOT IN (SELECT user FROM click WHERE kind = 'purchase');

SELECT DISTINCT 'straight', user FROM click
WHERE kind = 'purchase' AND user NOT IN (SELECT user FROM click WHERE kind = 'cart');
