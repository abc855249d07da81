"""Model files that users bring: what they are, how they are read safely, where they are kept.

===============  ==========================================================================
``kinds``        what a file can be, and the description of one
``model``        :func:`.model.open_model`: a file, checked and recognised, ready for an engine
``onnx_file``    reads an ONNX file without running or trusting anything in it; with ``formats`` (what is not
                 ONNX), ``wire`` (what parsing may cost) and ``external`` (weights in files beside it)
``recognise``    says what a file is, by its inputs, outputs, initializers and nodes; with ``contracts``,
                 ``ports`` and ``signatures``
``store``        the user's folder of models; with ``record`` (what is kept of each)
``download``     fetches a file over http(s), resumable; with ``answers`` (what a server means) and ``disk``
``licences``     what is known of the licence of each family
===============  ==========================================================================
"""
