package kql

import (
	"encoding/json"
	"maps"
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
			maps.Copy(next, start.Rows[i])
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

// aggregate is the set of the values of an expression, or without one the number of rows.
type aggregate struct{ of expr }

// add adds a row to what is known so far, nil for nothing.
func (a aggregate) add(so any, row Row, columns []string) (any, error) {
	if a.of == nil {
		n, _ := so.(float64)
		return n + 1, nil
	}
	set, _ := so.([]any)
	v, err := a.of(row, columns)
	if v != nil && !slices.ContainsFunc(set, func(had any) bool { return keyOf(Row{"v": had}) == keyOf(Row{"v": v}) }) {
		set = append(set, v)
	}
	return set, err
}

// none is the aggregate of no rows.
func (a aggregate) none() any {
	if a.of == nil {
		return 0.0
	}
	return []any{}
}

// summarize puts rows together by columns, in the order in which their values come first.
func summarize(by []column, name string, a aggregate) step {
	return func(t Table) (Table, error) {
		groups, err := compute(t, Table{}, by)
		out := Table{Columns: append(groups.Columns, name)}
		if err != nil {
			return out, err
		}
		if a.of != nil {
			if err := check(t.Columns, a.of); err != nil {
				return out, err
			}
		}
		summed := map[string]Row{}
		if len(by) == 0 {
			groups.Rows = make([]Row, len(t.Rows))
			summed[keyOf(Row{})] = Row{name: a.none()}
			out.Rows = []Row{summed[keyOf(Row{})]}
		}
		for i, row := range t.Rows {
			group := groups.Rows[i]
			if group == nil {
				group = Row{}
			}
			key := keyOf(group)
			if summed[key] == nil {
				group[name] = a.none()
				summed[key] = group
				out.Rows = append(out.Rows, group)
			}
			if summed[key][name], err = a.add(summed[key][name], row, t.Columns); err != nil {
				return out, err
			}
		}
		return out, nil
	}
}
