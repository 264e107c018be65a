package kql

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// comparisons are the operators with one value on each side. A null equals nothing and contains nothing.
func comparisons() map[string]func(l, r any) bool {
	out := map[string]func(l, r any) bool{
		"==": equal, "=~": equalFold,
		"!=": func(l, r any) bool { return !equal(l, r) },
		"!~": func(l, r any) bool { return !equalFold(l, r) },
		"<":  func(l, r any) bool { return ordered(l, r) && less(l, r) },
		">":  func(l, r any) bool { return ordered(l, r) && less(r, l) },
		"<=": func(l, r any) bool { return ordered(l, r) && !less(r, l) },
		">=": func(l, r any) bool { return ordered(l, r) && !less(l, r) },
	}
	for name, f := range map[string]func(l, r string) bool{"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "has": hasTerm} {
		fold := func(l, r any) bool { return l != nil && f(strings.ToLower(text(l)), strings.ToLower(text(r))) }
		out[name] = fold
		out["!"+name] = func(l, r any) bool { return !fold(l, r) }
	}
	return out
}

// listOperators are the operators with a list on the right.
func listOperators() map[string]func(l any, r []any) bool {
	in := func(same func(l, r any) bool) func(l any, r []any) bool {
		return func(l any, r []any) bool { return slices.ContainsFunc(r, func(one any) bool { return same(l, one) }) }
	}
	not := func(f func(any, []any) bool) func(any, []any) bool {
		return func(l any, r []any) bool { return !f(l, r) }
	}
	return map[string]func(l any, r []any) bool{"in": in(equal), "in~": in(equalFold), "!in": not(in(equal)), "!in~": not(in(equalFold))}
}

type function struct {
	least, most int
	of          func(arguments []any) any
}

func functions() map[string]function {
	one := func(f func(v any) any) function {
		return function{1, 1, func(a []any) any { return f(a[0]) }}
	}
	empty := func(v any) bool { return text(v) == "" }
	return map[string]function{
		"tostring":     one(func(v any) any { return text(v) }),
		"tolower":      one(func(v any) any { return strings.ToLower(text(v)) }),
		"toupper":      one(func(v any) any { return strings.ToUpper(text(v)) }),
		"isempty":      one(func(v any) any { return empty(v) }),
		"isnotempty":   one(func(v any) any { return !empty(v) }),
		"isnull":       one(func(v any) any { return v == nil }),
		"isnotnull":    one(func(v any) any { return v != nil }),
		"not":          one(func(v any) any { return !truth(v) }),
		"toint":        one(whole),
		"tolong":       one(whole),
		"tobool":       one(boolean),
		"array_length": one(length),
		"strcat":       {1, 64, func(a []any) any { return strings.Join(texts(a), "") }},
		"split":        {2, 2, func(a []any) any { return cut(text(a[0]), text(a[1])) }},
		"coalesce":     {2, 64, firstValue},
	}
}

func firstValue(a []any) any {
	for _, v := range a {
		if v != nil && v != "" {
			return v
		}
	}
	return nil
}

func length(v any) any {
	list, isList := v.([]any)
	if !isList {
		return nil
	}
	return float64(len(list))
}

func whole(v any) any {
	if n, isNumber := number(text(v)); isNumber {
		return float64(int64(n))
	}
	return nil
}

func boolean(v any) any {
	if b, err := strconv.ParseBool(strings.ToLower(text(v))); err == nil {
		return b
	}
	return nil
}

func cut(s, separator string) []any {
	var out []any
	for part := range strings.SplitSeq(s, separator) {
		out = append(out, part)
	}
	return out
}

func texts(list []any) []string {
	var out []string
	for _, v := range list {
		out = append(out, text(v))
	}
	return out
}

// text is tostring(): nothing for a null, JSON for an object or list.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		raw, _ := json.Marshal(v) // everything here was JSON
		return string(raw)
	}
}

func number(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// equal compares as == does: letter case counts. A property, whose type is not known beforehand, is compared as the other
// side is written.
func equal(l, r any) bool {
	if l == nil || r == nil {
		return false
	}
	return reflect.DeepEqual(l, r) || text(l) == text(r)
}

func equalFold(l, r any) bool { return l != nil && r != nil && strings.EqualFold(text(l), text(r)) }

func ordered(l, r any) bool { return l != nil && r != nil }

func less(l, r any) bool {
	a, isNumber := number(text(l))
	b, areNumbers := number(text(r))
	if isNumber && areNumbers {
		return a < b
	}
	return text(l) < text(r)
}

// hasTerm looks for whole words: what stands around it is neither a letter nor a digit.
func hasTerm(s, term string) bool {
	part := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; term != ""; {
		at := strings.Index(s[from:], term)
		if at < 0 {
			return false
		}
		begin, end := from+at, from+at+len(term)
		before, after := []rune(s[:begin]), []rune(s[end:])
		if (len(before) == 0 || !part(before[len(before)-1])) && (len(after) == 0 || !part(after[0])) {
			return true
		}
		from = begin + 1
	}
	return true
}
