package sim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
)

// Why a pull ends as it does.
const (
	// PullAllowed is for an image that can be pulled.
	PullAllowed = "Allowed"
	// PullUnauthorized is for a principal that has no right to pull from the registry, or not yet.
	PullUnauthorized = "Unauthorized"
	// PullNotFound is for an image that the registry does not have.
	PullNotFound = "NotFound"
	// PullNoRegistry is for a login server that no registry has.
	PullNoRegistry = "NoRegistry"
)

// Pull is how the pull of an image ends.
type Pull struct {
	// Reason is one of the constants Pull...
	Reason string `json:"reason"`
	// Message is what containerd tells the kubelet; empty when the image is pulled.
	Message string `json:"message,omitempty"`
}

// Pull says how the pull of an image by a principal, given as its object id, would end now. Images of other registries than
// Azure's can always be pulled.
func (s *Server) Pull(principal, image string) Pull {
	var p Pull
	_ = s.cloud.locked(func() { p = s.cloud.pull(principal, image) })
	return p
}

// KubeletPull says how the pull of an image by the nodes of a managed cluster, given as its ARM id, would end now. A cluster
// that is not there has no identity.
func (s *Server) KubeletPull(clusterID, image string) Pull {
	var p Pull
	_ = s.cloud.locked(func() { p = s.cloud.pull(s.cloud.kubeletOf(clusterID), image) })
	return p
}

// kubeletOf is the object id of a cluster's kubelet identity; empty when there is no such cluster.
func (c *cloud) kubeletOf(clusterID string) string {
	cluster := c.state.Resources[armpath.Key(clusterID)]
	if cluster == nil {
		return ""
	}
	return armjson.String(armjson.Get(armjson.Get(cluster.properties(), "identityProfile"), "kubeletidentity"), "objectId")
}

func (c *cloud) pull(principal, image string) Pull {
	server, name, _ := strings.Cut(image, "/")
	if !strings.HasSuffix(strings.ToLower(server), registryDomain) {
		return Pull{Reason: PullAllowed}
	}
	repository, version := splitImage(name)
	refuse := func(reason, format string, args ...any) Pull {
		return Pull{Reason: reason, Message: fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: ", image, image) + fmt.Sprintf(format, args...)}
	}
	registry := c.registryOf(server)
	if registry == nil {
		return refuse(PullNoRegistry, "failed to do request: Head \"https://%s/v2/%s/manifests/%s\": dial tcp: lookup %s: no such host", server, repository, version, server)
	}
	anonymous, _ := registry.properties()["anonymousPullEnabled"].(bool)
	if !anonymous && !c.granted(principal, rbac.ActionPull, registry.ID) {
		return refuse(PullUnauthorized, "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "+
			"https://%s/oauth2/token?scope=repository%%3A%s%%3Apull&service=%s: 401 Unauthorized", server, repository, server)
	}
	missing := func(entry string) bool {
		return strings.EqualFold(entry, server+"/"+repository) || strings.EqualFold(entry, server+"/"+repository+":"+version)
	}
	if slices.ContainsFunc(c.settings.MissingImages, missing) {
		return refuse(PullNotFound, "%s: not found", image)
	}
	return Pull{Reason: PullAllowed}
}

// splitImage takes the tag or digest off an image's name; without either it is latest.
func splitImage(name string) (repository, version string) {
	if before, digest, found := strings.Cut(name, "@"); found {
		return before, digest
	}
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		return name[:at], name[at+1:]
	}
	return name, "latest"
}

// granted tells whether role assignments that have taken effect let a principal do something to a resource.
func (c *cloud) granted(principal, action, id string) bool {
	for _, a := range c.state.Resources {
		if a.Type != typeRoleAssignment || c.clock.Since(a.Created) < c.settings.Durations.RolePropagation.Duration {
			continue
		}
		p := a.properties()
		if principal == "" || !strings.EqualFold(armjson.String(p, "principalId"), principal) || !rbac.Covers(armjson.String(p, "scope"), id) {
			continue
		}
		if role, known := c.role(lastSegment(armjson.String(p, "roleDefinitionId"))); known && role.Allows(action) {
			return true
		}
	}
	return false
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// askPull answers the admin endpoint: of a principal, or of the kubelets of a cluster.
func (s *Server) askPull(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	principal, cluster, image := q.Get("principal"), q.Get("cluster"), q.Get("image")
	switch {
	case image == "" || (principal == "") == (cluster == ""):
		adminError(w, http.StatusBadRequest, "give image, and either principal (an object id) or cluster (an ARM id)")
	case principal != "":
		writeJSON(w, http.StatusOK, s.Pull(principal, image))
	default:
		writeJSON(w, http.StatusOK, s.KubeletPull(cluster, image))
	}
}
