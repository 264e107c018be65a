package armid

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func seeds(f *testing.F, add func(string)) {
	f.Helper()
	for _, s := range []string{
		instance, registry, managementGroup, "/subscriptions/0", "/subscriptions/0/resourceGroups/g", "/subscriptions/0/providers/Microsoft.Compute",
		registry + "/providers/Microsoft.Authorization/roleAssignments/1", managementGroup + "/providers/Microsoft.Authorization/roleAssignments/1",
		"/subscriptions/providers/resourceGroups/g", "/subscriptions/0/resourceGroups/\u212aelvin", "/subscriptions/0/resourceGroups/\xff",
		"/subscriptions/0/resourceGroups/a\u200bb", "/subscriptions/0/resourceGroups/\u00a0", "/subscriptions/0/resourceGroups/a%2Fb", strings.Repeat("/providers/a/b/c", 40),
	} {
		add(s)
	}
}

// FuzzParse: what is an id holds nothing that a reader does not see, says what it was given, means the same in every case of
// its ASCII letters, and is built of the segments that one sees.
func FuzzParse(f *testing.F) {
	seeds(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, text string) {
		id, err := Parse(text)
		if err != nil {
			if same := id; id.Equal(same) {
				t.Errorf("%q is refused and equals itself", text)
			}
			return
		}
		again, err := Parse(id.String())
		if id.String() != text || err != nil || again != id || !id.Equal(again) {
			t.Errorf("%q becomes %q: %v", text, id, err)
		}
		for _, changed := range []string{ascii(text, unicode.ToUpper), ascii(text, unicode.ToLower)} {
			other, err := Parse(changed)
			if err != nil || !other.Equal(id) || !id.Equal(other) || other.Key() != id.Key() {
				t.Errorf("%q is another resource than %q: %v", changed, text, err)
			}
		}
		segments := strings.Split(text, "/")
		if segments[0] != "" || len(segments) < 3 {
			t.Errorf("%q is an id", text)
		}
		for _, s := range segments[1:] {
			if s == "" || s == "." || s == ".." || strings.TrimSpace(s) != s || strings.ContainsAny(s, "%?#\\") || strings.ContainsFunc(s, unseen) || !utf8.ValidString(s) {
				t.Errorf("%q is an id with the segment %q", text, s)
			}
		}
		if len(strings.Split(id.Key(), "/")) != len(segments) {
			t.Errorf("the key of %q has other segments: %q", text, id.Key())
		}
		checkExtension(t, id)
	})
}

func unseen(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }

// checkExtension: an assignment at any id is an id, and leads back.
func checkExtension(t *testing.T, id ID) {
	t.Helper()
	child, err := id.Extension(assignments, "1")
	if err != nil {
		t.Errorf("no role can be assigned at %q: %v", id, err)
		return
	}
	if scope, found := child.Scope(); !found || scope != id {
		t.Errorf("an assignment at %q is at %q", id, scope)
	}
	if child.Subscription() != id.Subscription() || child.Equal(id) {
		t.Errorf("an assignment at %q is of subscription %q", id, child.Subscription())
	}
}

// FuzzEqual: two ids are the same resource if, and only if, all their segments are, but for the case of letters; and that is
// an equivalence.
func FuzzEqual(f *testing.F) {
	seeds(f, func(s string) { f.Add(s, strings.ToUpper(s), s+"/a/b") })
	f.Add("/subscriptions/0/resourceGroups/\u212a", "/subscriptions/0/resourceGroups/k", "/subscriptions/0/resourceGroups/K")
	f.Add("/subscriptions/0/resourceGroups/\u017f", "/subscriptions/0/resourceGroups/s", "/subscriptions/0/resourceGroups/S")
	f.Add("/subscriptions/0/resourceGroups/\u00c5", "/subscriptions/0/resourceGroups/\u00e5", "/subscriptions/0/resourceGroups/\u212b")
	f.Fuzz(func(t *testing.T, x, y, z string) {
		a, errA := Parse(x)
		b, errB := Parse(y)
		c, errC := Parse(z)
		if errA != nil || errB != nil {
			return
		}
		if a.Equal(b) != b.Equal(a) || a.Equal(b) != (a.Key() == b.Key()) {
			t.Errorf("%q and %q are equal one way only", a, b)
		}
		if errC == nil && a.Equal(b) && b.Equal(c) && !a.Equal(c) {
			t.Errorf("%q, %q and %q are equal in pairs only", a, b, c)
		}
		if same := sameSegments(x, y); a.Equal(b) != same {
			t.Errorf("%q and %q are equal: %t, their segments: %t", a, b, a.Equal(b), same)
		}
	})
}

// sameSegments compares in another way than Parse does: rune by rune, where a letter of ASCII is only ever the other case of
// itself.
func sameSegments(x, y string) bool {
	a, b := strings.Split(x, "/"), strings.Split(y, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		p, q := []rune(a[i]), []rune(b[i])
		if len(p) != len(q) {
			return false
		}
		for j := range p {
			switch ascii := p[j] < utf8.RuneSelf || q[j] < utf8.RuneSelf; {
			case p[j] == q[j]:
			case ascii && (p[j] >= utf8.RuneSelf || q[j] >= utf8.RuneSelf):
				return false
			case unicode.ToLower(p[j]) != unicode.ToLower(q[j]):
				return false
			}
		}
	}
	return true
}

func ascii(text string, change func(rune) rune) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return change(r)
		}
		return r
	}, text)
}
