// The expressions of cel_bench.c in cel-go, the reference engine: one tab-separated line each, nanoseconds,
// allocations, the expression. Programs are compiled with its optimizations on.
package main

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

var expressions = []string{
	"value >= 100",
	"(origin == 'MOW' || country == 'RU') && (value >= 100 || adults == 1)",
	"url.startsWith('https://shop.example/')",
	"product in ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10']",
	"url.matches('^https://[a-z.]+/cart/[0-9]+$')",
	"items.map(i, i.price * double(i.qty)).sum() >= 50.0",
	"views(product) >= 3",
	"'Dear ' + name + ', ' + string(value) + ' things for ' + string(total)",
	"time.getHours('Europe/Paris') >= 9",
}

// cel-go has no sum of a list; this is ours, written as its extensions are.
func sum(list ref.Val) ref.Val {
	total := types.Double(0)
	for it := list.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		total += it.Next().(types.Double)
	}
	return total
}

func environment() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("origin", cel.StringType), cel.Variable("country", cel.StringType),
		cel.Variable("value", cel.IntType), cel.Variable("adults", cel.IntType),
		cel.Variable("url", cel.StringType), cel.Variable("product", cel.StringType),
		cel.Variable("name", cel.StringType), cel.Variable("total", cel.DoubleType),
		cel.Variable("time", cel.TimestampType),
		cel.Variable("items", cel.ListType(cel.MapType(cel.StringType, cel.DynType))),
		cel.Function("sum", cel.MemberOverload("list_sum", []*cel.Type{cel.ListType(cel.DoubleType)}, cel.DoubleType,
			cel.UnaryBinding(sum))),
		cel.Function("views", cel.Overload("views_string", []*cel.Type{cel.StringType}, cel.IntType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Int(len(string(v.(types.String)))) }))))
}

func values() map[string]any {
	items := []map[string]any{}
	for i := 0; i < 5; i++ {
		items = append(items, map[string]any{"price": 9.99 + float64(i), "qty": int64(i%2 + 1)})
	}
	at, _ := time.Parse(time.RFC3339, "2026-07-02T10:00:00Z")
	return map[string]any{"origin": "LED", "country": "RU", "value": int64(99), "adults": int64(1),
		"url": "https://shop.example/cart/123456", "product": "p10", "items": items, "time": at,
		"name": "Ada", "total": 129.95}
}

func bench(env *cel.Env, text string, vars map[string]any) error {
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return issues.Err()
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return err
	}
	activation, err := interpreter.NewActivation(vars)
	if err != nil {
		return err
	}
	if _, _, err = program.Eval(activation); err != nil {
		return err
	}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			program.Eval(activation)
		}
	})
	fmt.Printf("%.1f\t%d\t%s\n", float64(result.T.Nanoseconds())/float64(result.N), result.AllocsPerOp(), text)
	return nil
}

func main() {
	testing.Init()
	flag.Set("test.benchtime", "200ms")
	env, err := environment()
	if err == nil {
		for _, text := range expressions {
			if err = bench(env, text, values()); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
