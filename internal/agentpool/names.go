package agentpool

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

const (
	// fingerprintFormat is part of the hash and stands before it, so that a
	// later format is told apart instead of replacing every pool.
	fingerprintFormat = "1"
	// NameAttempts bounds the search for a pool name nobody uses.
	NameAttempts = 8
	suffixLength = 5
	// AKS allows 12 characters on Linux by one page of its documentation and 11
	// by others; 6 on Windows.
	linuxBaseLength, windowsBaseLength = 6, 1
	// safeAlphabet is Kubernetes' safe encoding: no vowels, so no words.
	safeAlphabet = "bcdfghjklmnpqrstvwxz2456789"
)

// Fingerprint names the replace-class fields that are set, resolved version
// included, of one Nodepool. Unset fields are absent, so that a field added
// later does not change old fingerprints. It names new pools and never proves
// that an existing pool is the wanted one: that is decided field by field.
func Fingerprint(uid string, spec Spec) string {
	normal := spec
	normal.Zones = sorted(spec.Zones)
	normal.Overrides = spec.OfEffect(Replace)
	// A struct of strings, numbers, string lists and maps cannot fail to marshal.
	body, _ := json.Marshal(normal)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", fingerprintFormat, uid, body))
	return fingerprintFormat + ":" + hex.EncodeToString(sum[:])
}

// Name is the AKS agent pool name of the given attempt, suffix the part
// the MachinePool's name ends with.
func Name(base, fingerprint, osType string, attempt int) (name, suffix string) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", fingerprint, attempt))
	n := new(big.Int).SetBytes(sum[:])
	letters := big.NewInt(int64(len(safeAlphabet)))
	digit := new(big.Int)
	out := make([]byte, suffixLength)
	for i := range out {
		n.DivMod(n, letters, digit)
		out[i] = safeAlphabet[digit.Int64()]
	}
	length := linuxBaseLength
	if osType == "Windows" {
		length = windowsBaseLength
	}
	return poolBase(base, length) + string(out), string(out)
}

// BaseName is the pool's public name: the Nodepool's name without the leading
// cluster name.
func BaseName(nodepool, cluster string) string {
	if rest, found := strings.CutPrefix(nodepool, cluster+"-"); found {
		// A label's value starts with a letter or digit.
		if rest = strings.TrimLeft(rest, "-"); rest != "" {
			return rest
		}
	}
	return nodepool
}

// poolBase keeps what AKS allows in a pool name: lower-case letters and
// digits, a letter first.
func poolBase(base string, length int) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return -1
	}, base)
	if kept == "" || kept[0] < 'a' {
		kept = "p" + kept
	}
	return kept[:min(length, len(kept))]
}
