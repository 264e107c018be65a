package kql

import (
	"slices"
	"strings"
)

type parser struct {
	tokens []token
	at     int
}

// Parse reads a query.
func Parse(query string) (*Query, error) {
	tokens, err := lex(query)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	table := p.take()
	if table.kind != kindWord {
		return nil, failed(table, "expected the name of a table")
	}
	if slices.ContainsFunc([]string{"where", "project", "extend", "summarize", "union", "search", "let"}, table.word) {
		return nil, notSimulated(table, "a query that does not start with a table")
	}
	q := &Query{Table: table.text}
	for p.peek().kind != kindEnd {
		if err := p.want("|"); err != nil {
			return nil, err
		}
		s, err := p.operator()
		if err != nil {
			return nil, err
		}
		q.steps = append(q.steps, s)
	}
	return q, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != kindEnd {
		p.at++
	}
	return t
}

// sign takes a sign if it is the next token.
func (p *parser) sign(s string) bool {
	if p.peek().is(s) {
		p.at++
		return true
	}
	return false
}

// word takes a key word if it is the next token.
func (p *parser) word(w string) bool {
	if p.peek().word(w) {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(sign string) error {
	if !p.sign(sign) {
		return failed(p.peek(), "expected "+sign)
	}
	return nil
}

// operator reads what stands between two bars.
func (p *parser) operator() (step, error) {
	t := p.take()
	if t.kind != kindWord {
		return nil, failed(t, "expected an operator")
	}
	switch strings.ToLower(t.text) {
	case "where":
		condition, err := p.expression()
		return where(condition), err
	case "project":
		columns, err := p.columns()
		return project(columns), err
	case "extend":
		columns, err := p.columns()
		return extend(columns), err
	case "project-away":
		names, err := p.names()
		return projectAway(names), err
	case "distinct":
		columns, err := p.columns()
		return distinct(columns), err
	case "order", "sort":
		if !p.word("by") {
			return nil, failed(p.peek(), "expected by")
		}
		keys, err := p.sortKeys()
		return order(keys), err
	case "take", "limit":
		n, err := p.count()
		return take(n), err
	case "top":
		n, err := p.count()
		if err == nil && !p.word("by") {
			err = failed(p.peek(), "expected by")
		}
		if err != nil {
			return nil, err
		}
		keys, err := p.sortKeys()
		return func(in Table) (Table, error) {
			sorted, err := order(keys)(in)
			if err != nil {
				return Table{}, err
			}
			return take(n)(sorted)
		}, err
	case "count":
		return summarize(nil, "Count"), nil
	case "summarize":
		return p.summarize()
	case "join", "mv-expand", "mvexpand", "parse", "union", "lookup", "arg_max", "project-rename", "project-keep":
		return nil, notSimulated(t, "the operator "+t.text)
	default:
		return nil, failed(t, "expected an operator")
	}
}

// column is one item of a list: an expression and the name of what it gives.
type column struct {
	name string
	expr expr
}

func (p *parser) columns() ([]column, error) {
	var out []column
	for {
		name := ""
		if p.peek().kind == kindWord && p.tokens[p.at+1].is("=") {
			name = p.take().text
			p.at++
		}
		start := p.at
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if name == "" {
			name = p.nameOf(start)
		}
		out = append(out, column{name, e})
		if !p.sign(",") {
			return out, nil
		}
	}
}

// nameOf is the name that an expression without one gets: its path with underscores, of a function call that of its first
// argument.
func (p *parser) nameOf(start int) string {
	var parts []string
	for i := start; i < p.at; i++ {
		t := p.tokens[i]
		isCall := t.kind == kindWord && p.tokens[i+1].is("(")
		if (t.kind == kindWord || t.kind == kindString || t.kind == kindNumber) && !isCall {
			parts = append(parts, t.text)
		}
		if t.is(",") && len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, "_")
}

func (p *parser) names() ([]string, error) {
	var out []string
	for {
		t := p.take()
		if t.kind != kindWord {
			return nil, failed(t, "expected the name of a column")
		}
		out = append(out, t.text)
		if !p.sign(",") {
			return out, nil
		}
	}
}

// sortKey is one column to sort by. Descending is the language's default.
type sortKey struct {
	expr      expr
	ascending bool
}

func (p *parser) sortKeys() ([]sortKey, error) {
	var out []sortKey
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		k := sortKey{expr: e, ascending: p.word("asc")}
		if !k.ascending {
			p.word("desc")
		}
		if p.peek().word("nulls") {
			return nil, notSimulated(p.peek(), "the order of nulls")
		}
		out = append(out, k)
		if !p.sign(",") {
			return out, nil
		}
	}
}

func (p *parser) count() (int, error) {
	t := p.take()
	n, isNumber := number(t.text)
	if t.kind != kindNumber || !isNumber || n != float64(int(n)) {
		return 0, failed(t, "expected a whole number")
	}
	return int(n), nil
}

// summarize reads "count() by ...", with a name for the count or without.
func (p *parser) summarize() (step, error) {
	name := "count_"
	if p.peek().kind == kindWord && p.tokens[p.at+1].is("=") {
		name = p.take().text
		p.at++
	}
	if !p.peek().word("count") {
		return nil, notSimulated(p.peek(), "other aggregates than count()")
	}
	p.at++
	if err := p.want("("); err != nil {
		return nil, err
	}
	if err := p.want(")"); err != nil {
		return nil, err
	}
	if !p.word("by") {
		return summarize(nil, name), nil
	}
	by, err := p.columns()
	return summarize(by, name), err
}
