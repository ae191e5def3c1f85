/* Channels: which of them bring customers who stay, and what such a customer is worth. */
import {h} from './dom.js';
import {bar} from './chart.js';
import {heading, nothing, table, waiting} from './parts.js';
import {currencies_of, currency_choice, currency_chosen, undeclared} from './page_sales.js';
import {amount, number, share} from './words.js';

const MONTHS = ['1', '3', '6', '12'];

const part = (count, of) => [number(count), ' ', h('span.beside', {}, share(of)), bar(of || 0)];

function row(one, currency) {
  const money = one.money[currency] || {net: 0, net_per_customer: 0, ltv: {}};
  return {key: one.channel, cells: [h('span.name', {}, one.channel), number(one.customers), part(one.second, one.second_share), part(one.third, one.third_share),
    part(one.loyal, one.loyal_share), amount(money.net), amount(money.net_per_customer), ...MONTHS.map((months) => amount(money.ltv[months]))]};
}

export function channels({report, report_trouble: trouble, changed}) {
  if (!report) return [heading('Channels'), waiting(trouble)];
  if (!report.channels.length && !report.sales.declared) return [heading('Channels'), undeclared()];
  if (!report.channels.length) return [heading('Channels'), nothing('No customers yet.', 'The channel of a customer\'s first order is kept; the first one will stand here.')];
  const currencies = currencies_of(report), currency = currency_chosen(currencies);
  const columns = [{name: 'Channel'}, {name: 'Customers', is_number: true}, {name: 'Ordered twice', is_number: true}, {name: 'Three times', is_number: true},
    {name: 'Loyal', is_number: true, title: 'in the segment of loyal customers'}, {name: 'Net', is_number: true}, {name: 'Net each', is_number: true, title: 'net for each customer'},
    ...MONTHS.map((months) => ({name: `${months} mo`, is_number: true, title: `what a customer has brought in ${months} months after the first order: only of months that are over`}))];
  return [
    heading('Channels', currency_choice(currencies, changed)),
    h('p.note', {}, `By the channel of a customer's first order; money in ${currency}, net of refunds. The last four columns are what a customer has brought in after so many months.`),
    table(`Channels, ${currency}`, columns, report.channels.map((one) => row(one, currency)), {class: 'channels'}),
  ];
}
