import '../shared/design/index.css'
