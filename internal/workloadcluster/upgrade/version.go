package upgrade

import (
	"github.com/blang/semver/v4"
)

// maxMinorsBehind is how many minor versions AKS lets a pool be behind its control plane.
const maxMinorsBehind = 3

// parse reads a version as people and Azure write it, with or without a v, a patch and a suffix such as -akslts, which says nothing about age.
func parse(text string) (semver.Version, error) {
	v, err := semver.ParseTolerant(text)
	v.Pre, v.Build = nil, nil
	return v, err
}

// older is false when one of both cannot be read.
func older(a, b string) bool {
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && x.LT(y)
}

func same(a, b string) bool {
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && x.EQ(y)
}

// lowest leaves out what is empty.
func lowest(versions ...string) string {
	out := ""
	for _, v := range versions {
		if out == "" || v != "" && older(v, out) {
			out = v
		}
	}
	return out
}

// tooFarBehind is true when AKS does not take a pool of that version beside a control plane of the other.
func tooFarBehind(pool, controlPlane string) bool {
	p, errP := parse(pool)
	c, errC := parse(controlPlane)
	return errP == nil && errC == nil && (p.Major < c.Major || p.Minor+maxMinorsBehind < c.Minor)
}

// tooFarAhead is true when there is a minor version between both.
func tooFarAhead(wanted, runs string) bool {
	w, errW := parse(wanted)
	r, errR := parse(runs)
	return errW == nil && errR == nil && (w.Major > r.Major || w.Major == r.Major && w.Minor > r.Minor+1)
}
