-- What was published about the sample, customer by customer.
SELECT 'summary', printf('%04d', id), CAST(x AS INT), round(t_x, 2), round(t, 2), round(zbar, 2) FROM reference;

SELECT 'second_purchase', printf('%04d', id) FROM reference WHERE CAST(x AS INT) >= 1;
