#!/usr/bin/env python3
"""Writes vectors.jsonl: requests as they stand on the wire, signed by botocore, with what botocore
signed. Run by hand, with a Python that has botocore, when a case is added:

    build/venv/bin/python tests/cases/sigv4/make.py > tests/cases/sigv4/vectors.jsonl
"""
import datetime, hashlib, json, sys
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
TOKEN_KEY, TOKEN = 'ASIAEXAMPLE', 'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW+'
FORM = 'application/x-www-form-urlencoded; charset=utf-8'
SEND = b'{"QueueUrl": "http://127.0.0.1:9324/000000000000/q1", "MessageBody": "hello"}'
botocore.auth.get_current_datetime = lambda *a, **k: NOW


class Kept:
    """A signer that keeps what it signed."""

    def canonical_request(self, request):
        self.canonical = super().canonical_request(request)
        return self.canonical

    def string_to_sign(self, request, canonical_request):
        self.to_sign = super().string_to_sign(request, canonical_request)
        return self.to_sign


class Header(Kept, botocore.auth.SigV4Auth):
    pass


class Query(Kept, botocore.auth.SigV4QueryAuth):
    pass


def case(name, method='GET', url='http://127.0.0.1:9324/', headers=(), body=b'', signer=Header,
         service='sqs', region='us-east-1', token=None, **more):
    key = TOKEN_KEY if token else KEY
    request = AWSRequest(method=method, url=url, data=body)
    for header, value in headers:
        request.headers[header] = value
    if 'Host' not in request.headers:
        request.headers['Host'] = botocore.auth._host_from_url(url)
    auth = signer(Credentials(key, SECRET, token), service, region, **more)
    auth.add_auth(request)
    parts = urlsplit(request.url)
    json.dump({'id': name, 'method': method, 'path': parts.path or '/', 'query': parts.query,
               'headers': [[k, v] for k, v in request.headers.items()], 'body': body.decode(),
               'service': service, 'canonical': auth.canonical, 'to_sign': auth.to_sign},
              sys.stdout)
    print()


def json_headers(target):
    return [('X-Amz-Target', target), ('Content-Type', 'application/x-amz-json-1.0'),
            ('x-amzn-query-mode', 'true'), ('User-Agent', 'Boto3/1.0  md/Botocore')]


BASE = 'http://127.0.0.1:9324'
case('get')
case('post-empty', 'POST')
case('post-json', 'POST', headers=json_headers('AmazonSQS.SendMessage'), body=SEND)
case('post-json-to-queue', 'POST', BASE + '/000000000000/q1',
     headers=json_headers('AmazonSQS.SendMessage'), body=SEND)
case('post-form', 'POST', BASE + '/000000000000/q1', headers=[('Content-Type', FORM)],
     body=b'Action=SendMessage&Version=2012-11-05&MessageBody=a+b%2Bc')
case('post-form-no-charset', 'POST',
     headers=[('content-type', 'application/x-www-form-urlencoded')],
     body=b'Action=Publish&Message=x', service='sns')
case('post-utf8', 'POST', headers=json_headers('AmazonSQS.SendMessage'),
     body='{"MessageBody":"grüße 😀"}'.encode())
case('token', 'POST', headers=json_headers('AmazonSQS.SendMessage'), body=SEND, token=TOKEN)
case('other-region', 'POST', headers=json_headers('AmazonSQS.SendMessage'), body=SEND,
     region='cn-northwest-1')
case('host-without-port', url='http://sqs.us-east-1.amazonaws.com/')
case('host-ipv6', url='http://[::1]:9324/')
case('path-slash-at-end', url=BASE + '/000000000000/q1/')
case('path-slashes', url=BASE + '//000000000000///q1')
case('path-dots', url=BASE + '/a/./b/../000000000000/q1/..')
case('path-only-dots', url=BASE + '/../../.')
case('path-unreserved', url=BASE + '/-._~0123456789abcXYZ')
case('path-encoded', url=BASE + '/a%20b/%C3%BC%2F%2e')
case('path-special', url=BASE + "/a:b@c!d$e&f'g(h)i*j+k,l;m=n")
case('query', url=BASE + '/?Action=ListQueues&Version=2012-11-05')
case('query-order', url=BASE + '/?b=2&a=2&B=1&a=1&=x&a=')
case('query-empty-value', url=BASE + '/?Param2=&Param1')
case('query-unreserved', url=BASE + '/?-._~0123456789abcXYZ=-._~0123456789abcXYZ')
case('query-encoded', url=BASE + '/?p=a%20b%2Bc%2Fd%3De%26f&%C3%BC=%E2%82%AC')
case('query-as-sent', url=BASE + '/?p=a+b*c&q=%c3%bc/:')
case('query-order-encoded', url=BASE + '/?a%2Fb=1&a-b=2&a_b=3&a.b=4&aab=5')
case('header-blanks', headers=[('My-Header', '  a   b \t c  '), ('My-Empty', '')])
case('header-repeated', headers=[('My-Header', 'value2'), ('My-Header', 'value1'),
                                 ('my-header', 'value 3')])
case('header-quoted', headers=[('My-Header', '"a   b"')])
case('header-order', headers=[('zoo', '1'), ('Zebra', '2'), ('a-b', '3'), ('ab', '4')])
case('header-date', headers=[('Date', 'x')])
case('payload-header', 'POST', body=SEND, headers=json_headers('AmazonSQS.SendMessage') + [
    ('X-Amz-Content-SHA256', hashlib.sha256(SEND).hexdigest())])
case('payload-unsigned', 'POST', body=SEND, headers=json_headers('AmazonSQS.SendMessage') + [
    ('X-Amz-Content-SHA256', 'UNSIGNED-PAYLOAD')])
case('presigned', url=BASE + '/000000000000/q1?Action=ReceiveMessage&AttributeName.1=All'
     '&Version=2012-11-05', signer=Query, expires=60)
case('presigned-token', url=BASE + '/000000000000/q1?Action=ReceiveMessage', signer=Query,
     token=TOKEN)
case('presigned-encoded', url=BASE + '/?Action=SendMessage&MessageBody=gr%C3%BC%C3%9Fe%20%26'
     '%20%E2%82%AC%2B', signer=Query, service='sns')
