"""Java's and Node's own HTTP clients verify the authority that a daemon has made, and no other."""
import re, shutil, subprocess

import pytest

from daemons import DEADLINE_S

JAVA = '''
import java.io.*; import java.net.URI; import java.net.http.*; import java.security.KeyStore;
import java.security.cert.*; import javax.net.ssl.*;

public class Client {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(args[0])) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[1]))
            .header("X-Amz-Target", "AmazonSQS.CreateQueue").header("Content-Type", "application/x-amz-json-1.0")
            .POST(HttpRequest.BodyPublishers.ofString("{\\"QueueName\\":\\"java\\"}")).build();
        try {
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.version() + " " + answer.body());
        } catch (SSLHandshakeException e) {
            System.out.println("refused " + e);
        }
    }
}
'''

NODE = '''
const https = require("https"), fs = require("fs");
const request = https.request(process.argv[3], {
    method: "POST", ca: fs.readFileSync(process.argv[2]), minVersion: "TLSv1.2",
    headers: { "X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0" } },
    answer => {
        const protocol = answer.socket.getProtocol();
        let text = "";
        answer.on("data", piece => text += piece);
        answer.on("end", () => console.log(answer.statusCode, protocol, text));
    });
request.on("error", e => console.log("refused", e.code));
request.end('{"QueueName":"node"}');
'''


@pytest.fixture
def secure(make_toque):
    t = make_toque(topic_options={'tls': 'auto', 'tls_port': 0}, queue_options={'tls': 'auto', 'tls_port': 0})
    t.at = {}
    for d in (t.queued, t.topicd):
        d.start(ready=False)
        line = d.wait_line('TLS is on')
        t.at[d.program] = (re.search(r'AWS_CA_BUNDLE=(\S+)', line).group(1),
                           int(re.search(r' port=(\d+)', line).group(1)))
    t.wait_linked()
    return t


def answers(secure, run, bundle_of, of):
    """What the client prints: with one daemon's authority, at another's endpoint, by each of its names."""
    bundle, (_, port) = secure.at[bundle_of][0], secure.at[of]
    said = []
    for host in 'localhost', '127.0.0.1', '[::1]':
        done = subprocess.run([*run, bundle, f'https://{host}:{port}/'], capture_output=True, text=True,
                              timeout=4 * DEADLINE_S)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    return said


def check(secure, run, name):
    for program in 'queued', 'topicd':
        for said in answers(secure, run, program, program):
            assert said.startswith('200 ') and f'/{name}"' in said, said
    assert all(said.startswith('refused') for said in answers(secure, run, 'topicd', 'queued'))


@pytest.mark.skipif(not shutil.which('javac'), reason='no JDK on this machine')
def test_java(secure, tmp_path):
    (tmp_path / 'Client.java').write_text(JAVA)
    subprocess.run(['javac', '-d', tmp_path, tmp_path / 'Client.java'], check=True, timeout=4 * DEADLINE_S)
    check(secure, ['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', str(tmp_path), 'Client'], 'java')


@pytest.mark.skipif(not shutil.which('node'), reason='no Node on this machine')
def test_node(secure, tmp_path):
    (tmp_path / 'client.js').write_text(NODE)
    check(secure, ['node', str(tmp_path / 'client.js')], 'node')
