package kql

import (
	"slices"
	"strings"
)

// expr is an expression: its value in a row, or that a column is unknown.
type expr func(row Row, columns []string) (any, error)

func constant(v any) expr { return func(Row, []string) (any, error) { return v, nil } }

func (p *parser) expression() (expr, error) { return p.either() }

func (p *parser) either() (expr, error) {
	left, err := p.both()
	for err == nil && p.word("or") {
		var right expr
		if right, err = p.both(); err == nil {
			left = logic(left, right, true)
		}
	}
	return left, err
}

func (p *parser) both() (expr, error) {
	left, err := p.comparison()
	for err == nil && p.word("and") {
		var right expr
		if right, err = p.comparison(); err == nil {
			left = logic(left, right, false)
		}
	}
	return left, err
}

// logic is "or" when decides is true, and "and" when it is false: the value that decides without the other side.
func logic(left, right expr, decides bool) expr {
	return func(row Row, columns []string) (any, error) {
		l, err := left(row, columns)
		if err != nil {
			return nil, err
		}
		r, err := right(row, columns)
		if truth(l) == decides {
			return decides, err
		}
		return truth(r), err
	}
}

func truth(v any) bool {
	b, _ := v.(bool)
	return b
}

func (p *parser) comparison() (expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	name := strings.ToLower(t.text)
	if list, known := listOperators()[name]; known && t.kind == kindWord {
		p.at++
		items, err := p.arguments()
		if err == nil && len(items) == 0 {
			err = failed(t, "a list without a value")
		}
		return func(row Row, columns []string) (any, error) {
			return apply(left, items, row, columns, list)
		}, err
	}
	compare, known := comparisons()[name]
	if !known || t.kind != kindWord && t.kind != kindSign {
		return left, p.endsExpression(t)
	}
	p.at++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return func(row Row, columns []string) (any, error) {
		return apply(left, []expr{right}, row, columns, func(l any, r []any) bool { return compare(l, r[0]) })
	}, nil
}

func apply(left expr, right []expr, row Row, columns []string, f func(any, []any) bool) (any, error) {
	l, err := left(row, columns)
	if err != nil {
		return nil, err
	}
	r, err := values(right, row, columns)
	if err != nil {
		return nil, err
	}
	return f(l, r), nil
}

func values(list []expr, row Row, columns []string) ([]any, error) {
	var out []any
	for _, e := range list {
		v, err := e(row, columns)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// endsExpression refuses what stands after an operand and is neither an operator that is known nor the end.
func (p *parser) endsExpression(t token) error {
	ends := t.kind == kindEnd || slices.ContainsFunc([]string{"|", ")", ",", "]"}, t.is) || slices.ContainsFunc([]string{"and", "or", "by", "asc", "desc", "nulls"}, t.word)
	switch {
	case ends:
		return nil
	case slices.ContainsFunc([]string{"+", "-", "*", "/"}, t.is), slices.ContainsFunc([]string{"between", "matches", "has_any", "has_all", "hasprefix", "hassuffix", "has_cs", "contains_cs"}, t.word):
		return notSimulated(t, "the operator "+t.text)
	default:
		return failed(t, "expected an operator or the end of the expression")
	}
}

// operand reads a literal, a call, a column or something in parentheses, with what is taken out of it.
func (p *parser) operand() (expr, error) {
	t := p.take()
	switch {
	case t.is("("):
		e, err := p.expression()
		if err == nil {
			err = p.want(")")
		}
		return p.path(e, err)
	case t.is("-") && p.peek().kind == kindNumber:
		n, _ := number(p.take().text)
		return constant(-n), nil
	case t.kind == kindString:
		return constant(t.text), nil
	case t.kind == kindNumber:
		n, isNumber := number(t.text)
		if !isNumber {
			return nil, failed(t, "expected a number")
		}
		return constant(n), nil
	case t.word("true"), t.word("false"):
		return constant(t.word("true")), nil
	case t.kind == kindWord && p.peek().is("("):
		return p.call(t)
	case t.kind == kindWord && !strings.HasPrefix(t.text, "!"):
		return p.path(columnOf(t), nil)
	default:
		return nil, failed(t, "expected a value")
	}
}

func columnOf(t token) expr {
	return func(row Row, columns []string) (any, error) {
		if !slices.Contains(columns, t.text) {
			return nil, &Error{Kind: UnknownColumn, Message: "no column " + t.text, Token: t.text, Line: t.line, Position: t.position}
		}
		return row[t.text], nil
	}
}

// path reads .name, ['name'] and [index] after an operand.
func (p *parser) path(of expr, err error) (expr, error) {
	for err == nil {
		switch {
		case p.sign("."):
			t := p.take()
			if t.kind != kindWord {
				return nil, failed(t, "expected the name of a property")
			}
			of = property(of, t.text)
		case p.sign("["):
			negative := p.sign("-")
			t := p.take()
			n, isNumber := number(t.text)
			switch {
			case t.kind == kindString && !negative:
				of = property(of, t.text)
			case t.kind == kindNumber && isNumber:
				if negative {
					n = -n
				}
				of = element(of, int(n))
			default:
				return nil, failed(t, "expected the name of a property or an index")
			}
			err = p.want("]")
		default:
			return of, nil
		}
	}
	return nil, err
}

func property(of expr, name string) expr {
	return func(row Row, columns []string) (any, error) {
		v, err := of(row, columns)
		o, _ := v.(map[string]any)
		return o[name], err
	}
}

// element is one of a list's; a negative index counts from the end.
func element(of expr, at int) expr {
	return func(row Row, columns []string) (any, error) {
		v, err := of(row, columns)
		list, _ := v.([]any)
		i := at
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i >= len(list) {
			return nil, err
		}
		return list[i], err
	}
}

func (p *parser) call(name token) (expr, error) {
	f, known := functions()[strings.ToLower(name.text)]
	if !known {
		return nil, notSimulated(name, "the function "+name.text)
	}
	arguments, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return nil, failed(name, "wrong number of arguments")
	}
	return p.path(func(row Row, columns []string) (any, error) {
		v, err := values(arguments, row, columns)
		if err != nil {
			return nil, err
		}
		return f.of(v), nil
	}, nil)
}

func (p *parser) arguments() ([]expr, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	var out []expr
	for !p.sign(")") {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if !p.sign(",") && !p.peek().is(")") {
			return nil, failed(p.peek(), "expected , or )")
		}
	}
	return out, nil
}
