package agentpool

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOverridesAreTakenApart(t *testing.T) {
	raw := `{"kubeletConfig": {"cpuManagerPolicy": "static", "podMaxPids": 512, "allowedUnsafeSysctls": ["a", "b"]},
		"upgradeSettings": {"maxSurge": "33%"}, "enableFIPS": true, "tomorrow": {"x": 1.50}}`
	leaves, conflict := ParseOverrides([]byte(raw))
	want := map[string]string{
		"kubeletConfig.cpuManagerPolicy": `"static"`, "kubeletConfig.podMaxPids": "512", "kubeletConfig.allowedUnsafeSysctls": `["a","b"]`,
		"upgradeSettings.maxSurge": `"33%"`, "enableFIPS": "true", "tomorrow.x": "1.5",
	}
	if diff := cmp.Diff(want, leaves); diff != "" || conflict != "" {
		t.Errorf("%s, conflict %q", diff, conflict)
	}
	if diff := cmp.Diff(want, Leaves(Tree(leaves))); diff != "" {
		t.Errorf("put together and taken apart again: %s", diff)
	}
}

func TestOverridesThatCannotBeSet(t *testing.T) {
	cases := map[string]struct{ raw, want string }{
		"none":               {``, ""},
		"owned":              {`{"vmSize": "Standard_D4"}`, `providerOverrides.vmSize ("Standard_D4") is set by machineType: use that field`},
		"owned below":        {`{"nodeLabels": {"team": "shop"}}`, `providerOverrides.nodeLabels.team ("shop") is set by labels: use that field`},
		"a gateway pool":     {`{"mode": "Gateway"}`, `providerOverrides.mode ("Gateway") is set by mode: use that field`},
		"stops machines":     {`{"powerState": {"code": "Stopped"}}`, `providerOverrides.powerState.code ("Stopped") cannot be set, because it stops every machine of the pool at once; ask for 0 nodes with replicas: take it out`},
		"no value":           {`{"enableFIPS": null}`, "providerOverrides.enableFIPS (null) says nothing: leave it out, or say the value you want"},
		"no object":          {`["a"]`, "providerOverrides are no object: "},
		"too long":           {`{"messageOfTheDay": "` + strings.Repeat("x", 16<<10) + `"}`, "providerOverrides are 16407 bytes long: at most 16384 are allowed"},
		"a dot in a name":    {`{"x": {"a.b": 1}}`, "providerOverrides.x..ab (1) has an empty name or one with a dot in it"},
		"a long value":       {`{"tags": {"a": "` + strings.Repeat("ö", 30) + `"}}`, `providerOverrides.tags.a ("` + strings.Repeat("ö", 19) + `...) is set by tags: use that field`},
		"the first by name":  {`{"vmSize": "x", "count": 3}`, "providerOverrides.count (3) is set by replicas: use that field"},
		"unknown is allowed": {`{"tomorrow": 1}`, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			leaves, got := ParseOverrides([]byte(tc.raw))
			if !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if tc.want != "" && len(leaves) > 0 {
				t.Errorf("the pool would be made with %v", leaves)
			}
		})
	}
}

func TestOverridesChange(t *testing.T) {
	is := func(path, value string) Spec { return Spec{Overrides: map[string]string{path: value}} }
	cases := map[string]struct {
		wanted, existing Spec
		want             string
	}{
		"accepted by AKS":           {is("upgradeSettings.maxSurge", `"33%"`), is("upgradeSettings.maxSurge", `"10%"`), "providerOverrides.upgradeSettings.maxSurge InPlace"},
		"refused by AKS":            {is("kubeletConfig.podMaxPids", "512"), Spec{}, "providerOverrides.kubeletConfig.podMaxPids Replace"},
		"reimages the nodes":        {is("enableFIPS", "true"), Spec{}, "providerOverrides.enableFIPS Replace"},
		"nobody knows it yet":       {is("tomorrow", "1"), Spec{}, "providerOverrides.tomorrow Replace"},
		"below one that is known":   {is("upgradeSettings.tomorrow", "1"), Spec{}, "providerOverrides.upgradeSettings.tomorrow Replace"},
		"taken out":                 {Spec{}, is("enableFIPS", "true"), ""},
		"an id in another case":     {is("hostGroupReference.armId", `"/subscriptions/A"`), is("hostGroupReference.armId", `"/subscriptions/a"`), ""},
		"another value, other case": {is("workloadRuntime", `"KataVM"`), is("workloadRuntime", `"katavm"`), "providerOverrides.workloadRuntime Replace"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range Changes(tc.wanted, tc.existing) {
				got = append(got, c.Field+" "+string(c.Effect))
			}
			if strings.Join(got, "; ") != tc.want {
				t.Errorf("changes %q, want %q", got, tc.want)
			}
		})
	}
}
