package kql

import (
	"encoding/json"
	"slices"
)

func where(condition expr) step {
	return func(t Table) (Table, error) {
		out := Table{Columns: t.Columns}
		if err := check(t.Columns, condition); err != nil {
			return out, err
		}
		for _, row := range t.Rows {
			v, err := condition(row, t.Columns)
			if err != nil {
				return out, err
			}
			if truth(v) {
				out.Rows = append(out.Rows, row)
			}
		}
		return out, nil
	}
}

// check finds unknown columns also where there are no rows.
func check(columns []string, list ...expr) error {
	_, err := values(list, Row{}, columns)
	return err
}

func project(columns []column) step {
	return func(t Table) (Table, error) { return compute(t, Table{}, columns) }
}

func extend(columns []column) step {
	return func(t Table) (Table, error) {
		return compute(t, Table{Columns: slices.Clone(t.Columns), Rows: t.Rows}, columns)
	}
}

// compute adds columns, computed from the rows of from, to those of start.
func compute(from, start Table, columns []column) (Table, error) {
	out := Table{Columns: start.Columns}
	for _, c := range columns {
		if err := check(from.Columns, c.expr); err != nil {
			return out, err
		}
		if !slices.Contains(out.Columns, c.name) {
			out.Columns = append(out.Columns, c.name)
		}
	}
	for i, row := range from.Rows {
		next := Row{}
		if start.Rows != nil {
			for k, v := range start.Rows[i] {
				next[k] = v
			}
		}
		for _, c := range columns {
			v, err := c.expr(row, from.Columns)
			if err != nil {
				return out, err
			}
			next[c.name] = v
		}
		out.Rows = append(out.Rows, next)
	}
	return out, nil
}

func projectAway(names []string) step {
	return func(t Table) (Table, error) {
		var kept []column
		for _, name := range t.Columns {
			if !slices.Contains(names, name) {
				kept = append(kept, column{name, columnOf(token{text: name})})
			}
		}
		return compute(t, Table{}, kept)
	}
}

func take(n int) step {
	return func(t Table) (Table, error) {
		return Table{Columns: t.Columns, Rows: t.Rows[:min(n, len(t.Rows))]}, nil
	}
}

func order(keys []sortKey) step {
	return func(t Table) (Table, error) {
		out := Table{Columns: t.Columns, Rows: slices.Clone(t.Rows)}
		for _, k := range keys {
			if err := check(t.Columns, k.expr); err != nil {
				return out, err
			}
		}
		slices.SortStableFunc(out.Rows, func(a, b Row) int {
			for _, k := range keys {
				l, _ := k.expr(a, t.Columns) // all columns are known, see check
				r, _ := k.expr(b, t.Columns)
				before, after := less(l, r), less(r, l)
				if before == after {
					continue
				}
				if before == k.ascending {
					return -1
				}
				return 1
			}
			return 0
		})
		return out, nil
	}
}

func distinct(columns []column) step {
	return func(t Table) (Table, error) {
		all, err := compute(t, Table{}, columns)
		out := Table{Columns: all.Columns}
		seen := map[string]bool{}
		for _, row := range all.Rows {
			if key := keyOf(row); !seen[key] {
				seen[key] = true
				out.Rows = append(out.Rows, row)
			}
		}
		return out, err
	}
}

func keyOf(row Row) string {
	raw, _ := json.Marshal(row) // a row was JSON; keys are sorted
	return string(raw)
}

// summarize counts rows by columns, in the order in which their values come first.
func summarize(by []column, name string) step {
	return func(t Table) (Table, error) {
		groups, err := compute(t, Table{}, by)
		out := Table{Columns: append(groups.Columns, name)}
		if len(by) == 0 {
			out.Rows = []Row{{name: float64(len(t.Rows))}}
			return out, err
		}
		counted := map[string]Row{}
		for _, row := range groups.Rows {
			key := keyOf(row)
			if counted[key] == nil {
				row[name] = 0.0
				counted[key] = row
				out.Rows = append(out.Rows, row)
			}
			n, _ := counted[key][name].(float64)
			counted[key][name] = n + 1
		}
		return out, err
	}
}
