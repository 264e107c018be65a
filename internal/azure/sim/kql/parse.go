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

// operators are what may stand between two bars.
func operators() map[string]func(*parser) (step, error) {
	ordered := func(p *parser) (step, error) {
		keys, err := p.sortKeys()
		return order(keys), err
	}
	limited := func(p *parser) (step, error) {
		n, err := p.count()
		return take(n), err
	}
	return map[string]func(*parser) (step, error){
		"where":        func(p *parser) (step, error) { e, err := p.expression(); return where(e), err },
		"project":      func(p *parser) (step, error) { c, err := p.columns(); return project(c), err },
		"extend":       func(p *parser) (step, error) { c, err := p.columns(); return extend(c), err },
		"project-away": func(p *parser) (step, error) { n, err := p.names(); return projectAway(n), err },
		"distinct":     func(p *parser) (step, error) { c, err := p.columns(); return distinct(c), err },
		"order":        ordered,
		"sort":         ordered,
		"take":         limited,
		"limit":        limited,
		"top":          (*parser).top,
		"count":        func(*parser) (step, error) { return summarize(nil, "Count", aggregate{}), nil },
		"summarize":    (*parser).summarize,
	}
}

// operator reads what stands between two bars.
func (p *parser) operator() (step, error) {
	t := p.take()
	read, known := operators()[strings.ToLower(t.text)]
	switch {
	case t.kind == kindWord && known:
		return read(p)
	case slices.ContainsFunc([]string{"join", "mv-expand", "mvexpand", "parse", "union", "lookup"}, t.word):
		return nil, notSimulated(t, "the operator "+t.text)
	default:
		return nil, failed(t, "expected an operator")
	}
}

// top is to sort and to take the first.
func (p *parser) top() (step, error) {
	n, err := p.count()
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

// sortKeys reads "by" and what stands behind it.
func (p *parser) sortKeys() ([]sortKey, error) {
	if !p.word("by") {
		return nil, failed(p.peek(), "expected by")
	}
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

// summarize reads "count() by ..." or "make_set(...) by ...", with a name for the aggregate or without.
func (p *parser) summarize() (step, error) {
	name := ""
	if p.peek().kind == kindWord && p.tokens[p.at+1].is("=") {
		name = p.take().text
		p.at++
	}
	aggregate, usual, err := p.aggregate()
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = usual
	}
	if !p.word("by") {
		return summarize(nil, name, aggregate), nil
	}
	by, err := p.columns()
	return summarize(by, name, aggregate), err
}

// aggregate reads one and says how Kusto calls its column.
func (p *parser) aggregate() (a aggregate, name string, err error) {
	counts := p.peek().word("count")
	if !counts && !p.peek().word("make_set") {
		return a, "", notSimulated(p.peek(), "other aggregates than count() and make_set()")
	}
	p.at++
	if err := p.want("("); err != nil {
		return a, "", err
	}
	if name = "count_"; !counts {
		start := p.at
		if a.of, err = p.expression(); err != nil {
			return a, "", err
		}
		name = "set_" + p.nameOf(start)
	}
	return a, name, p.want(")")
}
