package controlplane

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Port is the TCP port on 127.0.0.1 that the server listens on.
func (s *Server) Port() int { return s.port }

func (s *Server) host() string { return fmt.Sprintf("https://127.0.0.1:%d", s.port) }

// Config returns a fresh client configuration for the administrator (group system:masters), without client-side rate limits.
func (s *Server) Config() *rest.Config { return s.ConfigFor(s.token) }

// ConfigFor is Config for whoever the bearer token belongs to, for example a ServiceAccount.
func (s *Server) ConfigFor(token string) *rest.Config {
	return &rest.Config{
		Host:            s.host(),
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: append([]byte(nil), s.ca...)},
		QPS:             -1,
	}
}

// Kubeconfig returns the administrator's kubeconfig. The same content is in the file KubeconfigFile names.
func (s *Server) Kubeconfig() ([]byte, error) { return s.kubeconfig(s.token) }

// KubeconfigFor returns a kubeconfig for whoever the bearer token belongs to.
func (s *Server) KubeconfigFor(token string) ([]byte, error) { return s.kubeconfig(token) }

// KubeconfigFile is the path of the administrator's kubeconfig, readable by this user only. It is written anew at each start.
func (s *Server) KubeconfigFile() string { return s.files.kubeconfig }

func (s *Server) kubeconfig(token string) ([]byte, error) {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[s.name] = &clientcmdapi.Cluster{Server: s.host(), CertificateAuthorityData: s.ca}
	cfg.AuthInfos[s.name] = &clientcmdapi.AuthInfo{Token: token}
	cfg.Contexts[s.name] = &clientcmdapi.Context{Cluster: s.name, AuthInfo: s.name}
	cfg.CurrentContext = s.name
	b, err := clientcmd.Write(*cfg)
	if err != nil {
		return nil, fmt.Errorf("encode kubeconfig of %s: %w", s.name, err)
	}
	return b, nil
}
