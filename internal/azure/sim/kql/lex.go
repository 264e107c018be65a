package kql

import (
	"strings"
	"unicode"
)

type kind int

const (
	kindEnd kind = iota
	kindWord
	kindString
	kindNumber
	kindSign
)

type token struct {
	kind           kind
	text           string
	line, position int
}

func (t token) is(sign string) bool { return t.kind == kindSign && t.text == sign }

// word tells whether the token is a name or key word, in whatever letter case.
func (t token) word(name string) bool { return t.kind == kindWord && strings.EqualFold(t.text, name) }

// signs are those of two characters first, so that they are not read as two of one.
var signs = []string{"==", "=~", "!=", "!~", "<=", ">=", "..", "<", ">", "=", "|", "(", ")", "[", "]", ",", ".", "-", "*", "+", "/"}

type lexer struct {
	rest           []rune
	line, position int
}

// lex cuts a query into tokens; the last is the end.
func lex(query string) ([]token, error) {
	l := &lexer{rest: []rune(query), line: 1}
	var out []token
	for {
		l.skip()
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		if t.kind == kindEnd {
			return out, nil
		}
	}
}

// take takes n characters off the front.
func (l *lexer) take(n int) string {
	text := string(l.rest[:n])
	for _, r := range l.rest[:n] {
		l.position++
		if r == '\n' {
			l.line, l.position = l.line+1, 0
		}
	}
	l.rest = l.rest[n:]
	return text
}

// count is how many characters at the front are such.
func (l *lexer) count(such func(rune) bool) int {
	for i, r := range l.rest {
		if !such(r) {
			return i
		}
	}
	return len(l.rest)
}

// skip takes spaces and comments away.
func (l *lexer) skip() {
	for {
		l.take(l.count(unicode.IsSpace))
		if !strings.HasPrefix(string(l.rest), "//") {
			return
		}
		l.take(l.count(func(r rune) bool { return r != '\n' }))
	}
}

func (l *lexer) next() (token, error) {
	t := token{line: l.line, position: l.position}
	if len(l.rest) == 0 {
		t.text = "<EOF>"
		return t, nil
	}
	first := l.rest[0]
	switch {
	case unicode.IsLetter(first) || first == '_' || first == '$':
		return l.name(t), nil
	case unicode.IsDigit(first):
		t.kind = kindNumber
		t.text = l.take(l.count(func(r rune) bool { return unicode.IsDigit(r) || r == '.' }))
	case first == '\'' || first == '"', first == '@' && len(l.rest) > 1 && strings.ContainsRune(`'"`, l.rest[1]):
		return l.quoted(t)
	default:
		return l.sign(t)
	}
	return t, nil
}

// name reads a name or key word. A hyphen belongs to operators such as project-away, and a tilde to in~; nothing else that is
// known here has one.
func (l *lexer) name(t token) token {
	t.kind = kindWord
	t.text = l.take(l.count(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$' }))
	if (t.word("project") || t.word("mv")) && len(l.rest) > 1 && l.rest[0] == '-' && unicode.IsLetter(l.rest[1]) {
		t.text += l.take(1)
		t.text += l.take(l.count(unicode.IsLetter))
	}
	if t.word("in") && len(l.rest) > 0 && l.rest[0] == '~' {
		t.text += l.take(1)
	}
	return t
}

// quoted reads a string: with backslash escapes, or without any after an @.
func (l *lexer) quoted(t token) (token, error) {
	verbatim := l.rest[0] == '@'
	if verbatim {
		l.take(1)
	}
	quote := l.rest[0]
	b := strings.Builder{}
	for i := 1; i < len(l.rest); i++ {
		switch r := l.rest[i]; {
		case r == quote && verbatim && i+1 < len(l.rest) && l.rest[i+1] == quote:
			b.WriteRune(r)
			i++
		case r == quote:
			l.take(i + 1)
			t.kind, t.text = kindString, b.String()
			return t, nil
		case r == '\\' && !verbatim && i+1 < len(l.rest):
			i++
			b.WriteString(unescape(l.rest[i]))
		case r == '\n':
			i = len(l.rest)
		default:
			b.WriteRune(r)
		}
	}
	t.text = string(quote)
	return t, failed(t, "a string without an end")
}

func unescape(r rune) string {
	switch r {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	default:
		return string(r)
	}
}

func (l *lexer) sign(t token) (token, error) {
	t.kind = kindSign
	if l.rest[0] == '!' && len(l.rest) > 1 && unicode.IsLetter(l.rest[1]) {
		// !in, !contains and their like are words.
		l.take(1)
		t, err := l.next()
		t.text = "!" + t.text
		return t, err
	}
	for _, s := range signs {
		if strings.HasPrefix(string(l.rest[:min(2, len(l.rest))]), s) {
			t.text = l.take(len(s))
			return t, nil
		}
	}
	t.text = string(l.rest[0])
	return t, failed(t, "a character that no query has")
}

func failed(t token, message string) *Error {
	return &Error{Kind: Syntax, Message: message, Token: t.text, Line: t.line, Position: t.position}
}

func notSimulated(t token, what string) *Error {
	return &Error{Kind: NotSimulated, Message: "the simulator does not know " + what, Token: t.text, Line: t.line, Position: t.position}
}
