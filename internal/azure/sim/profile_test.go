package sim_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
)

// TestPutWithoutPoolsKeepsPools is what CAPZ relies on: it names pools in the first PUT and never again.
func TestPutWithoutPoolsKeepsPools(t *testing.T) {
	a := newAzure(t)
	created := a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 3))
	body := newCluster()
	body.Tags = map[string]*string{"env": to.Ptr("test")}
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	got := done(a, p, err)
	if a.poolNames() != "blue sys" || len(got.Properties.AgentPoolProfiles) != 2 || *got.Properties.AgentPoolProfiles[0].Count != 3 || *got.Tags["env"] != "test" {
		t.Errorf("after a PUT without pools: %s, %d profiles", a.poolNames(), len(got.Properties.AgentPoolProfiles))
	}
	if *got.Properties.Fqdn != *created.Properties.Fqdn || *got.Properties.IdentityProfile["kubeletidentity"].ObjectID != *created.Properties.IdentityProfile["kubeletidentity"].ObjectID ||
		*got.Identity.PrincipalID != *created.Identity.PrincipalID || *got.Properties.NodeResourceGroup != nodeGroup {
		t.Error("a PUT has changed what AKS keeps for life")
	}
}

func TestPoolsInALaterPut(t *testing.T) {
	a := newAzure(t)
	created := a.makeCluster()
	more := newCluster(systemPool("sys"), systemPool("more"))
	_, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, more, nil)
	wantCode(t, err, http.StatusBadRequest, "BadRequest", "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations.")
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	wantCode(t, err, http.StatusBadRequest, "BadRequest", "Removing agent pools is not allowed")

	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	done(a, p, err)
	changed := newCluster(created.Properties.AgentPoolProfiles...)
	changed.Properties.AgentPoolProfiles[0].Count = to.Ptr[int32](3)
	update, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, changed, nil)
	if got := done(a, update, err).Properties.AgentPoolProfiles[0]; *got.Count != 3 || *got.ProvisioningState != "Succeeded" {
		t.Errorf("pool after the PUT: %+v", got)
	}
	if n := len(a.machineIDs("sys")); n != 3 {
		t.Errorf("%d machines, want 3", n)
	}
}

func TestClustersThatAreRefused(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	user := systemPool("user")
	user.Mode = to.Ptr(aks.AgentPoolModeUser)
	for name, test := range map[string]struct {
		cluster string
		pools   []*aks.ManagedClusterAgentPoolProfile
		change  func(*aks.ManagedCluster)
		code    string
	}{
		"no pool":          {code: "MustDefineAtLeastOneSystemPool"},
		"no System pool":   {pools: []*aks.ManagedClusterAgentPoolProfile{user}, code: "MustDefineAtLeastOneSystemPool"},
		"one name twice":   {pools: []*aks.ManagedClusterAgentPoolProfile{systemPool("sys"), systemPool("sys")}, code: "InvalidParameter"},
		"bad name":         {cluster: "-shop", code: "InvalidParameter"},
		"no DNS prefix":    {change: func(c *aks.ManagedCluster) { c.Properties.DNSPrefix = nil }, code: "InvalidParameter"},
		"unknown version":  {change: func(c *aks.ManagedCluster) { c.Properties.KubernetesVersion = to.Ptr("1.20.0") }, code: "K8sVersionNotSupported"},
		"version with a v": {change: func(c *aks.ManagedCluster) { c.Properties.KubernetesVersion = to.Ptr("v1.34.1") }, code: "K8sVersionNotSupported"},
		"foreign node group": {change: func(c *aks.ManagedCluster) { c.Properties.NodeResourceGroup = to.Ptr(group) }, pools: []*aks.ManagedClusterAgentPoolProfile{systemPool("sys")},
			code: "NodeResourceGroupAlreadyExists"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.cluster == "" {
				test.cluster = cluster
			}
			body := newCluster(test.pools...)
			if test.change != nil {
				test.change(&body)
			}
			status := http.StatusBadRequest
			if test.code == "NodeResourceGroupAlreadyExists" {
				status = http.StatusConflict
			}
			_, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, test.cluster, body, nil)
			wantCode(t, err, status, test.code, "")
		})
	}
	if n := a.world.clusterCount(); n != 0 {
		t.Errorf("%d API servers after refusals", n)
	}
}

func TestClusterPropertiesForLife(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	for property, change := range map[string]func(*aks.ManagedClusterProperties){
		"dnsPrefix":         func(p *aks.ManagedClusterProperties) { p.DNSPrefix = to.Ptr("other") },
		"nodeResourceGroup": func(p *aks.ManagedClusterProperties) { p.NodeResourceGroup = to.Ptr("other") },
		"networkProfile.serviceCidr": func(p *aks.ManagedClusterProperties) {
			p.NetworkProfile = &aks.NetworkProfile{ServiceCidr: to.Ptr("10.9.0.0/16")}
		},
		"networkProfile.dnsServiceIP": func(p *aks.ManagedClusterProperties) {
			p.NetworkProfile = &aks.NetworkProfile{DNSServiceIP: to.Ptr("10.0.0.11")}
		},
		"networkProfile.networkPlugin": func(p *aks.ManagedClusterProperties) {
			p.NetworkProfile = &aks.NetworkProfile{NetworkPlugin: to.Ptr(aks.NetworkPluginKubenet)}
		},
		"networkProfile.podCidr": func(p *aks.ManagedClusterProperties) {
			p.NetworkProfile = &aks.NetworkProfile{PodCidr: to.Ptr("10.245.0.0/16")}
		},
	} {
		t.Run(property, func(t *testing.T) {
			body := newCluster()
			change(body.Properties)
			_, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
			wantCode(t, err, http.StatusBadRequest, "PropertyChangeNotAllowed", "properties."+property)
		})
	}
}

func TestAutoscalerProfile(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	body := newCluster()
	body.Properties.AutoScalerProfile = &aks.ManagedClusterPropertiesAutoScalerProfile{
		ScanInterval: to.Ptr("20s"), IgnoreDaemonsetsUtilization: to.Ptr(true), Expander: to.Ptr(aks.ExpanderLeastWaste),
	}
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	if got := done(a, p, err).Properties.AutoScalerProfile; *got.ScanInterval != "20s" || !*got.IgnoreDaemonsetsUtilization {
		t.Errorf("profile: %+v", got)
	} else if got.ScaleDownUnneededTime == nil || *got.ScaleDownUnneededTime != "10m" || *got.ScaleDownDelayAfterDelete != "20s" || !*got.DaemonsetEvictionForOccupiedNodes {
		t.Errorf("what was left out is not shown with AKS's defaults: %+v", got)
	}
	body.Properties.AutoScalerProfile.ScaleDownDelayAfterAdd = to.Ptr("30s")
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	wantCode(t, err, http.StatusBadRequest, "InvalidParameter", "cluster-autoscaler parameter 'scale-down-delay-after-add'")
	// Left out means taken away, as with every property that AKS does not keep for life.
	p, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(), nil)
	if got := done(a, p, err).Properties.AutoScalerProfile; got != nil {
		t.Errorf("profile after a PUT without: %+v", got)
	}
	scaled := userPool("Standard_D4s_v5", 1)
	scaled.Properties.EnableAutoScaling, scaled.Properties.MinCount, scaled.Properties.MaxCount = to.Ptr(true), to.Ptr[int32](1), to.Ptr[int32](3)
	a.mustPutPool("blue", scaled)
	live, err := a.clusters.Get(t.Context(), group, cluster, nil)
	if got := live.Properties.AutoScalerProfile; err != nil || got == nil || *got.Expander != aks.ExpanderRandom {
		t.Errorf("profile of a cluster with an autoscaled pool: %+v %v", got, err)
	}
	var answer struct{ Error struct{ Code string } }
	status := a.raw("PUT", clusterPath(cluster)+"?api-version=2025-10-01",
		`{"location": "westeurope", "properties": {"autoScalerProfile": {"max-empty-bulk-delete": 10}}}`, a.token(), &answer)
	if status != http.StatusBadRequest || answer.Error.Code != "InvalidRequestContent" {
		t.Errorf("a number where AKS wants a string is answered %d %+v", status, answer)
	}
}

func TestLocalAccountsOff(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	body := newCluster()
	body.Properties.DisableLocalAccounts = to.Ptr(true)
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	done(a, p, err)
	_, err = a.clusters.ListClusterAdminCredentials(t.Context(), group, cluster, nil)
	wantCode(t, err, http.StatusBadRequest, "BadRequest", "Getting static credential is not allowed")
	got, err := a.clusters.ListClusterUserCredentials(t.Context(), group, cluster, nil)
	if err != nil || string(got.Kubeconfigs[0].Value) != "kubeconfig of shop" {
		t.Errorf("user credential: %v", err)
	}
}
