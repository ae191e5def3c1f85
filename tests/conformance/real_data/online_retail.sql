-- Gross: an invoice that takes back another, and a row without a customer, do not count.
CREATE TABLE line AS
  SELECT CustomerID AS customer, InvoiceNo AS invoice, InvoiceDate AS time,
         CAST(round(UnitPrice * 1000) AS INT) * Quantity AS thousandths
  FROM row WHERE CustomerID <> '' AND InvoiceNo NOT LIKE 'C%';

CREATE TABLE invoice AS
  SELECT customer, invoice, min(time) AS time,
         row_number() OVER (PARTITION BY customer ORDER BY min(time)) AS number
  FROM line GROUP BY customer, invoice;

CREATE TABLE buyer AS
  SELECT customer, sum(thousandths) AS spent, max(time) AS newest FROM line GROUP BY customer;

CREATE TABLE quick AS
  SELECT a.customer FROM invoice a JOIN invoice b USING (customer)
  WHERE a.number = 1 AND b.number = 2 AND julianday(b.time) - julianday(a.time) <= 30.0;

SELECT 'year', customer, spent, spent >= 1000000, spent >= 5000000, customer IN (SELECT customer FROM quick),
       date(newest) <= date('2011-12-09 12:50:00', '-90 days'),
       newest < datetime('2011-12-09 12:50:00', '-90 days')
FROM buyer;

SELECT 'reached_1000', customer FROM buyer WHERE spent >= 1000000;

SELECT 'reached_5000', customer FROM buyer WHERE spent >= 5000000;

SELECT 'came_back_quickly', customer FROM quick;
