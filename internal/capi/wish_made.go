package capi

import "maps"

// madeWith are overrides that Azure takes when it makes a cluster, and never again: it refuses another value, with everything else that is written.
var madeWith = []string{"dnsPrefix", "fqdnSubdomain"}

// identityField is one that Azure changes when it is told to. Who takes the override out has not told so, and the roles are on the one that is there.
const identityField = "identity"

// asMade moves what is of the creation alone from what is wished for to there, and returns the paths of what was said.
func asMade(path string, spec, first map[string]any) []string {
	var said []string
	for _, key := range madeWith {
		if value, is := spec[key]; is {
			first[key] = value
			delete(spec, key)
			said = append(said, path+"."+key)
		}
	}
	return said
}

// asItIs is the object with what its patch says of the creation as it is there: a patch is one text, and is written anew with every other override.
func (o WishedObject) asItIs(last, there map[string]any) WishedObject {
	wish, before, is := patched(o.Spec), patched(last), patched(there)
	patch := maps.Clone(wish)
	for _, key := range append([]string{identityField}, madeWith...) {
		_, wished := wish[key]
		_, was := before[key]
		has, isThere := is[key]
		switch {
		case isThere && was && !wished, isThere && wished && key != identityField:
			patch[key] = has
		case wished && key != identityField:
			delete(patch, key)
		}
	}
	if canonical(patch) == canonical(wish) {
		return o
	}
	spec := maps.Clone(o.Spec)
	if delete(spec, clusterPatchesField); len(patch) > 0 {
		spec[clusterPatchesField] = []any{canonical(map[string]any{"spec": patch})}
	}
	o.Spec = spec
	return o
}

// patched is what the patches of a spec make of a managed cluster.
func patched(spec map[string]any) map[string]any {
	out := map[string]any{}
	list, _ := spec[clusterPatchesField].([]any)
	for _, item := range list {
		text, _ := item.(string)
		mergeOver(out, treeIn(readPatch(text), "spec"))
	}
	return out
}

// fixedOverrides are overrides of the creation that a patch wishes for otherwise than the cluster was made.
func (o WishedObject) fixedOverrides(there map[string]any) []Change {
	wish, is := patched(o.Spec), patched(treeIn(there, "spec"))
	var out []Change
	for _, key := range madeWith {
		has, isPatched := is[key]
		if !isPatched {
			has = treeIn(there, "spec")[key]
		}
		if want := wish[key]; want != nil && quoted(want) != quoted(has) {
			out = append(out, Change{Object: o.text(), Field: "spec." + key, From: text(quoted(has)), To: quoted(want)})
		}
	}
	return out
}
