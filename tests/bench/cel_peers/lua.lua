-- The expressions of cel_bench.c in Lua, as functions over a table of values, as far as Lua can express them:
-- one tab-separated line each, nanoseconds, "-", the expression. Time zones are beyond it.
local env = { origin = "LED", country = "RU", value = 99, adults = 1, url = "https://shop.example/cart/123456",
  product = "p10", name = "Ada", total = 129.95, items = {}, views = function(p) return #p end }
for i = 0, 4 do env.items[i + 1] = { price = 9.99 + i, qty = i % 2 + 1 } end
local set = {}
for i = 1, 10 do set["p" .. i] = true end

local cases = {
  { "value >= 100", function(e) return e.value >= 100 end },
  { "(origin == 'MOW' || country == 'RU') && (value >= 100 || adults == 1)",
    function(e) return (e.origin == "MOW" or e.country == "RU") and (e.value >= 100 or e.adults == 1) end },
  { "url.startsWith('https://shop.example/')",
    function(e) return e.url:sub(1, 21) == "https://shop.example/" end },
  { "product in ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10']",
    function(e) return set[e.product] ~= nil end },
  { "url.matches('^https://[a-z.]+/cart/[0-9]+$')",
    function(e) return e.url:find("^https://[a-z.]+/cart/[0-9]+$") ~= nil end },
  { "items.map(i, i.price * double(i.qty)).sum() >= 50.0", function(e)
    local products, sum = {}, 0
    for i, item in ipairs(e.items) do products[i] = item.price * item.qty end
    for _, product in ipairs(products) do sum = sum + product end
    return sum >= 50
  end },
  { "views(product) >= 3", function(e) return e.views(e.product) >= 3 end },
  { "'Dear ' + name + ', ' + string(value) + ' things for ' + string(total)",
    function(e) return "Dear " .. e.name .. ", " .. tostring(e.value) .. " things for " .. tostring(e.total) end },
}

local function nanoseconds(case, rounds)
  local begin = os.clock()
  for _ = 1, rounds do case(env) end
  return (os.clock() - begin) * 1e9 / rounds
end

for _, case in ipairs(cases) do
  local times = {}
  for run = 1, 3 do times[run] = nanoseconds(case[2], 200000) end
  table.sort(times)
  print(string.format("%.1f\t-\t%s", times[2], case[1]))
end
