package refusal

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Said sorts what CAPZ or Azure Service Operator wrote of a refusal, into a condition for instance. Such a text is Azure's
// message, or a dump of its answer over many lines, with their own words around; the code may be missing. What cannot be
// read is Final: they try again by themselves, and a person should know.
func Said(doing, text string) *Error {
	a := Answer{Message: text}
	if match := dumpedStatus.FindStringSubmatch(text); match != nil {
		a.Status, _ = strconv.Atoi(match[1]) // three digits
	}
	if match := dumpedCode.FindStringSubmatch(text); match != nil {
		a.Code = match[1]
	}
	kind, found := find(a.Code, text)
	if !found {
		if code, k := codeIn(text); code != "" {
			a.Code, kind, found = code, k, true
		}
	}
	switch {
	case saysOne(strings.ToLower(text), inPassing):
		kind = Busy
	case found:
	case a.Status != 0:
		kind = kindOf(a)
	default:
		kind = Final
	}
	e := refused(kind, doing, a, "", "")
	e.Who = "the identity of CAPZ"
	return e
}

// The Azure SDK for Go dumps an answer as "RESPONSE 409: 409 Conflict" and "ERROR CODE: OperationNotAllowed".
var (
	dumpedStatus = regexp.MustCompile(`RESPONSE (\d{3})\b`)
	dumpedCode   = regexp.MustCompile(`ERROR CODE: (\w+)`)
)

// codeIn finds the first code of the table in a text. Only words with capitals inside count: "Conflict" is also English.
func codeIn(text string) (string, Kind) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(word) < 2 || strings.ToLower(word[1:]) == word[1:] {
			continue
		}
		if kind, found := find(word, text); found {
			return word, kind
		}
	}
	return "", ""
}
