package identity

import (
	"crypto/sha256"
	"net/url"
	"strings"
)

// Secret is a text that nobody is to see. It is held by a closure: no printing, marshalling or reflection gets at it, also
// not of a struct that holds it. The zero Secret is empty.
type Secret struct{ reveal func() string }

// NewSecret hides a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// Reveal is the text, for the one who needs it to sign in.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Empty is true when there is no text.
func (s Secret) Empty() bool { return s.reveal == nil }

// Digest tells two secrets apart without telling them.
func (s Secret) Digest() [sha256.Size]byte { return sha256.Sum256([]byte(s.Reveal())) }

// Equal is true for the same text; go-cmp asks it.
func (s Secret) Equal(other Secret) bool { return s.Digest() == other.Digest() }

// shortest is the length from which a text counts as a secret when others are searched for it: an "x" is in every word.
const shortest = 6

// hidden stands where a secret was.
const hidden = "(hidden)"

// Hide takes the secret out of a text, also as it is written in a request to sign in.
func (s Secret) Hide(text string) string {
	secret := s.Reveal()
	if len(secret) < shortest {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, secret, hidden), url.QueryEscape(secret), hidden)
}

// String stands in for the secret wherever it is printed.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return hidden
}

// MarshalText does so in JSON, YAML and structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
